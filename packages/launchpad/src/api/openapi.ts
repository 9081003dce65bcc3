import { z } from "zod";
import { action, appAnswer, askAnswer, askRequest, errorAnswer, snapshot } from "./schemas.ts";

type Json = Record<string, unknown>;

const problems: Readonly<Record<string, string>> = {
  "400": "The request is not valid.",
  "401": "No or no valid credential: token, application key, or both are missing or refused.",
  "403": "Known, but not allowed: a key that is disabled or expired, a missing scope or group.",
  "404": "There is no such conversation or application.",
  "429": "A limit is reached; Retry-After says when to come again.",
  "502": "A service behind is set up wrong, or answered wrongly.",
  "503": "A service behind, or the identity provider, cannot be reached; Retry-After says when to try again.",
  "504": "The answer took too long.",
};

/** The public API as OpenAPI 3.1, out of the schemas that validate its requests. */
export function openApiDocument(publicUrl: string): Json {
  return {
    openapi: "3.1.0",
    info: {
      title: "Onbehalf: ask the graph",
      version: "1",
      description:
        "Questions in plain language, answered from the connected graph on behalf of a known user. The token says who the user is; the application key says which application, and so which data.",
    },
    servers: [{ url: publicUrl }],
    security: [
      { userToken: [], appKey: [], clientId: [] },
      { appKeyAsToken: [], clientId: [] },
    ],
    paths: {
      "/api/v1/voicebox/ask": {
        post: operation("ask", "Ask a question", "AskRequest", "application/json", "Answer"),
      },
      "/api/v1/voicebox/stream/ask": {
        post: operation(
          "streamAsk",
          "Ask and read the answer while it grows: one snapshot per line (NDJSON)",
          "AskRequest",
          "application/x-ndjson",
          "Snapshot",
        ),
      },
      "/api/v1/voicebox/generate-query": {
        post: operation(
          "generateQuery",
          "Get the query that would answer a question",
          "AskRequest",
          "application/json",
          "Answer",
        ),
      },
      "/api/v1/app": {
        get: operation("app", "What the application key is bound to", undefined, "application/json", "App"),
      },
    },
    components: {
      schemas: {
        AskRequest: schema(askRequest, "input"),
        Answer: schema(askAnswer, "output"),
        Snapshot: schema(snapshot, "output"),
        Action: schema(action, "output"),
        App: schema(appAnswer, "output"),
        Error: schema(errorAnswer, "output"),
      },
      securitySchemes: {
        userToken: {
          type: "http",
          scheme: "bearer",
          bearerFormat: "JWT",
          description: "The user's access token for this API.",
        },
        appKey: {
          type: "apiKey",
          in: "header",
          name: "X-Voicebox-App-Key",
          description: "Says which application is calling.",
        },
        clientId: {
          type: "apiKey",
          in: "header",
          name: "X-Client-Id",
          description: "Which program is calling; under 255 characters.",
        },
        appKeyAsToken: {
          type: "http",
          scheme: "bearer",
          description: "The application key itself, for applications that allow it; no user is known then.",
        },
      },
    },
  };
}

function schema(of: z.ZodType, io: "input" | "output"): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(of, { target: "draft-2020-12", io });
  return rest;
}

function operation(
  operationId: string,
  summary: string,
  body: string | undefined,
  media: string,
  answer: string,
): Json {
  const content = (name: string, type = "application/json"): Json => ({
    [type]: { schema: { $ref: `#/components/schemas/${name}` } },
  });
  return {
    operationId,
    summary,
    ...(body === undefined ? {} : { requestBody: { required: true, content: content(body) } }),
    responses: {
      "200": { description: "The answer.", content: content(answer, media) },
      ...Object.fromEntries(
        Object.entries(problems).map(([status, description]) => [status, { description, content: content("Error") }]),
      ),
    },
  };
}
