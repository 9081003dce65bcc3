import { createHash } from "node:crypto";
import type { STSClient } from "@aws-sdk/client-sts";
import { LRUCache } from "lru-cache";
import type { CallerTag } from "../../call.ts";
import type { BedrockSettings } from "../../deployments.ts";
import { GatewayError } from "../../errors.ts";
import type { BedrockCredentials } from "./credentials.ts";
import { createRenewing, type Lent } from "./renewing.ts";
import type { AwsCredentials } from "./signer.ts";
import { isPassing, isUnanswered } from "./source-error.ts";

/** Users at once whose sessions are kept; the one not seen longest is assumed anew when it comes back. */
const maxSessions = 5000;
/** For one AssumeRole with all its client's own attempts. */
const assumeMs = 10_000;
const maxClients = 16;

interface SessionIdentity {
  /** STS `RoleSessionName`, which CloudTrail shows with every call. */
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
}

/**
 * Who a session stands for, from verified claims only.
 * @throws GatewayError `forbidden` when AWS cannot carry a value: a changed one would stand for somebody else
 */
export function sessionIdentity(caller: CallerTag): SessionIdentity {
  const tags = {
    user: caller.userId,
    issuer: caller.issuer,
    subject: caller.subject,
    ...(caller.teamId === undefined ? {} : { team: caller.teamId }),
    ...(caller.clientId === undefined ? {} : { client: caller.clientId }),
  };
  for (const [name, value] of Object.entries(tags)) {
    if (!/^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,256}$/u.test(value)) throw uncarried(name);
  }
  if (!/^[\w+=,.@-]{2,64}$/.test(caller.userId)) throw uncarried("user");
  return { name: caller.userId, tags };
}

function uncarried(name: string): GatewayError {
  return new GatewayError(
    "forbidden",
    `Your ${name} holds characters or a length that AWS cannot carry in a session, so the call is not made. Ask the gateway's operator to map another claim.`,
  );
}

/** Credentials of a role session per user: one AssumeRole call at a time for each, and kept good. */
export function createSessions(settings: BedrockSettings, roleArn: string) {
  const kept = new LRUCache<string, ReturnType<typeof createRenewing>>({ max: maxSessions });
  const clientOf = createClients(settings);

  const assume = async ({ name, tags }: SessionIdentity, own: AwsCredentials, region: string): Promise<Lent> => {
    try {
      const client = await clientOf(own, region);
      const { AssumeRoleCommand } = await import("@aws-sdk/client-sts");
      const { Credentials } = await client.send(
        new AssumeRoleCommand({
          RoleArn: roleArn,
          RoleSessionName: name,
          DurationSeconds: settings.session_duration_seconds,
          Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
        }),
        { abortSignal: AbortSignal.timeout(assumeMs) },
      );
      const {
        AccessKeyId: accessKeyId,
        SecretAccessKey: secretAccessKey,
        SessionToken: sessionToken,
        Expiration,
      } = Credentials ?? {};
      if (accessKeyId === undefined || secretAccessKey === undefined)
        throw new Error("STS answered without credentials");
      return { credentials: { accessKeyId, secretAccessKey, sessionToken }, endsAt: Expiration?.getTime() ?? 0 };
    } catch (cause) {
      throw stsError(cause);
    }
  };

  return {
    /** @throws GatewayError */
    of(caller: CallerTag, own: BedrockCredentials, region: string): AwsCredentials | Promise<AwsCredentials> {
      if ("bearer" in own) {
        throw new GatewayError(
          "upstream_denied",
          "The gateway cannot act for you at this model's provider. Tell its operator.",
          {
            cause: "bedrock.assume_role_arn needs AWS credentials; a Bedrock API key cannot assume a role",
          },
        );
      }
      const identity = sessionIdentity(caller);
      const key = sessionKey(identity, own.accessKeyId, region);
      let session = kept.get(key);
      if (session === undefined) {
        session = createRenewing(() => assume(identity, own, region));
        kept.set(key, session);
      }
      return session.get();
    },
    /** AWS refuses those that were lent. */
    forget: (): void => kept.clear(),
  };
}

/** A digest over length-prefixed fields, so that no two sets of tags share a key. */
function sessionKey({ tags }: SessionIdentity, accessKeyId: string, region: string): string {
  const digest = createHash("sha256");
  for (const field of [accessKeyId, region, ...Object.entries(tags).flat()])
    digest.update(`${Buffer.byteLength(field)}:${field}`);
  return digest.digest("base64");
}

/** One STS client per identity of the gateway's own and region; loaded when the first role is assumed. */
function createClients({ sts_endpoint }: BedrockSettings) {
  const clients = new LRUCache<string, STSClient>({ max: maxClients });
  return async (own: AwsCredentials, region: string): Promise<STSClient> => {
    const key = `${own.accessKeyId} ${own.sessionToken ?? ""} ${region}`;
    const known = clients.get(key);
    if (known !== undefined) return known;
    const { STSClient } = await import("@aws-sdk/client-sts");
    const { accessKeyId, secretAccessKey, sessionToken } = own;
    const client = new STSClient({
      region,
      credentials: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) },
      ...(sts_endpoint === undefined ? {} : { endpoint: sts_endpoint }),
    });
    clients.set(key, client);
    return client;
  };
}

function stsError(cause: unknown): GatewayError {
  if (isPassing(cause) || isUnanswered(cause))
    return new GatewayError("upstream_unavailable", "AWS cannot be reached to act for you. Try again.", { cause });
  return new GatewayError("upstream_denied", "AWS does not let the gateway act for you. Tell its operator.", { cause });
}
