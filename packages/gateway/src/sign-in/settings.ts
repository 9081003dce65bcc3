import { z } from "zod";

const word = z.string().min(1).max(500);

/** `sign_in` of gateway.yaml: people sign in from their client, and the token it gets is their own. */
export const signInSettings = z.strictObject({
  /** One of those whose tokens are accepted. */
  issuer: z.string().min(1),
  /** Registered there for the device flow (RFC 8628). */
  client_id: word,
  /** Left out for a public client. */
  client_secret: word.optional(),
  /** What the token is to be good for; `offline_access` lets the client renew it. */
  scopes: z.array(word).min(1).max(50).default(["openid", "email", "profile", "offline_access"]),
  /** For providers that want to be told (Auth0; Okta and Entra go by scope). */
  audience: word.optional(),
  /** Claude Code's managed settings, for everybody who signs in. */
  managed_settings: z.record(z.string(), z.unknown()).optional(),
});
/** For people without an application of their own: the gateway as their client at the provider. */
export type SignInSettings = z.output<typeof signInSettings>;
