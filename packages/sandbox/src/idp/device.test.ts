import { decodeJwt } from "jose";
import { describe, expect, test } from "vitest";
import { walkDevice } from "../token.ts";
import { acr } from "./acr.ts";
import { grantTypes } from "./grant-types.ts";
import { type Answer, claimsIn, type Form, post, providerForTest } from "./testing.ts";

const asked = { audience: "llm-gateway", scope: "openid llm-gateway offline_access" } as const;

/** A device of a public client at an issuer. */
async function deviceAt(issuerUrl: string, clientId = "claude-code", form: Form = asked) {
  const start = await post(`${issuerUrl}/v1/device_authorization`, { client_id: clientId, ...form });
  const token = (more: Form) => post(`${issuerUrl}/v1/token`, { client_id: clientId, ...more });
  const poll = () => token({ grant_type: grantTypes.deviceCode, device_code: String(start.body.device_code) });
  return { start, link: String(start.body.verification_uri_complete), token, poll };
}

const refusal = ({ status, body }: Answer) => [status, body.error];

describe("the device authorization grant (RFC 8628)", () => {
  test.each(["default", "llm"])(
    "at %s: pending, then tokens for the gateway, then a rotating refresh token",
    async (name) => {
      const { provider } = await providerForTest();
      const issuer = provider.issuerUrl(name);
      const { start, link, token, poll } = await deviceAt(issuer);
      expect([start.status, start.body]).toEqual([
        200,
        {
          device_code: expect.any(String),
          user_code: expect.stringMatching(/^[B-DF-HJ-NP-TV-XZ]{4}-[B-DF-HJ-NP-TV-XZ]{4}$/),
          verification_uri: `${issuer}/v1/device`,
          verification_uri_complete: `${issuer}/v1/device?user_code=${start.body.user_code}`,
          expires_in: 600,
        },
      ]);
      expect(refusal(await poll())).toEqual([400, "authorization_pending"]);

      await walkDevice(link, { user: "bob" });
      const answer = await poll();
      expect([answer.status, answer.body]).toMatchObject([200, { token_type: "Bearer", scope: asked.scope }]);
      expect(claimsIn(answer)).toMatchObject({
        iss: issuer,
        sub: "bob",
        aud: "llm-gateway",
        cid: "claude-code",
        scp: ["openid", "llm-gateway", "offline_access"],
        groups: ["litellm-developers"],
      });
      expect(decodeJwt(String(answer.body.id_token))).toMatchObject({
        aud: "claude-code",
        sub: "bob",
        acr: acr.password,
      });

      const refresh = (value: unknown) => token({ grant_type: "refresh_token", refresh_token: String(value) });
      const refreshed = await refresh(answer.body.refresh_token);
      expect(claimsIn(refreshed)).toMatchObject({ sub: "bob", aud: "llm-gateway", groups: ["litellm-developers"] });
      expect(refreshed.body.refresh_token).not.toBe(answer.body.refresh_token);
      expect(refusal(await refresh(answer.body.refresh_token))).toEqual([400, "invalid_grant"]);
    },
  );
});
