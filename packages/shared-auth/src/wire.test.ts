import { describe, expect, test } from "vitest";
import { AuthError, type AuthErrorCode } from "./errors.ts";
import { toWire } from "./wire.ts";

const wire = (code: AuthErrorCode, details = {}, options = {}) =>
  toWire(new AuthError(code, "Said.", details), options);

describe("toWire", () => {
  test.each([
    ["token_absent", 401, "token_absent"],
    ["request_ambiguous", 400, "invalid_request"],
    ["token_malformed", 401, "invalid_token"],
    ["token_type_unaccepted", 401, "invalid_token"],
    ["algorithm_unaccepted", 401, "invalid_token"],
    ["key_unknown", 401, "invalid_token"],
    ["signature_invalid", 401, "invalid_token"],
    ["issuer_untrusted", 401, "invalid_token"],
    ["audience_mismatch", 401, "invalid_token"],
    ["token_expired", 401, "invalid_token"],
    ["token_not_yet_valid", 401, "invalid_token"],
    ["claim_invalid", 401, "invalid_token"],
    ["token_inactive", 401, "invalid_token"],
    ["token_sender_constrained", 401, "invalid_token"],
    ["dpop_proof_invalid", 401, "invalid_dpop_proof"],
    ["dpop_nonce_required", 401, "use_dpop_nonce"],
    ["scope_insufficient", 403, "insufficient_scope"],
    ["client_untrusted", 403, "client_untrusted"],
    ["user_required", 403, "user_required"],
    ["keys_unavailable", 503, "keys_unavailable"],
    ["issuer_misconfigured", 502, "issuer_misconfigured"],
    ["subject_rejected", 401, "invalid_token"],
    ["step_up_required", 401, "insufficient_user_authentication"],
    ["exchange_refused", 502, "exchange_refused"],
    ["exchange_answer_invalid", 502, "exchange_answer_invalid"],
    ["exchange_unavailable", 503, "exchange_unavailable"],
  ] as const)("%s: %i %s", (code, status, error) => {
    const answer = wire(code);
    expect(answer).toMatchObject({ status, body: { error, message: "Said." } });
    expect(answer.headers["www-authenticate"] !== undefined).toBe(status === 401 || code === "scope_insufficient");
    expect(answer.headers["retry-after"]).toBe(status === 503 ? "5" : undefined);
  });

  test("no token: a challenge without an error (RFC 6750 section 3.1), with the metadata (RFC 9728)", () => {
    expect(wire("token_absent").headers["www-authenticate"]).toBe("Bearer");
    const { headers } = wire(
      "token_absent",
      {},
      { resourceMetadata: "https://api/.well-known/oauth-protected-resource", realm: "api" },
    );
    expect(headers["www-authenticate"]).toBe(
      'Bearer realm="api", resource_metadata="https://api/.well-known/oauth-protected-resource"',
    );
  });

  test("missing scope: the scopes that would do", () => {
    const { headers } = wire("scope_insufficient", { scopes: ["read", "write"], resourceMetadata: "https://m" });
    expect(headers["www-authenticate"]).toBe(
      'Bearer error="insufficient_scope", error_description="Said.", scope="read write", resource_metadata="https://m"',
    );
  });

  test("step-up: Entra's claims in base64, ready to be sent back", () => {
    const claims = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}';
    const { status, headers } = wire("step_up_required", { claims });
    expect(status).toBe(401);
    expect(headers["www-authenticate"]).toBe(
      `Bearer error="insufficient_claims", error_description="Said.", claims="${btoa(claims)}"`,
    );
  });

  test("step-up: the classes that would do (RFC 9470 section 3)", () => {
    const { headers } = wire("step_up_required", { acrValues: "urn:a urn:b" });
    expect(headers["www-authenticate"]).toBe(
      'Bearer error="insufficient_user_authentication", error_description="Said.", acr_values="urn:a urn:b"',
    );
  });

  test("DPoP: its own scheme, and the nonce", () => {
    const { headers } = wire("dpop_nonce_required", { dpopNonce: "n-1" });
    expect(headers).toMatchObject({
      "dpop-nonce": "n-1",
      "www-authenticate": 'DPoP error="use_dpop_nonce", error_description="Said."',
    });
  });

  test("unavailable: when to come back", () => {
    expect(wire("exchange_unavailable", { retryAfterSeconds: 30 }).headers["retry-after"]).toBe("30");
  });

  test("a message cannot break out of the header", () => {
    const error = new AuthError("audience_mismatch", 'aud "x"\r\nset-cookie: a=b\\ ž', { cause: new Error("private") });
    const answer = toWire(error);
    expect(answer.headers["www-authenticate"]).toBe(
      `Bearer error="invalid_token", error_description="aud 'x'''set-cookie: a=b' '"`,
    );
    expect(JSON.stringify(answer)).not.toContain("private");
    expect(() => new Headers(answer.headers)).not.toThrow();
  });

  test("a code from outside the types is a programmer's mistake", () => {
    expect(() => wire("made_up" as AuthErrorCode)).toThrow(TypeError);
  });
});
