import type { Algorithm } from "./algorithms.ts";
import type { Clock } from "./clock.ts";
import { isRecord } from "./compact.ts";
import { createNonces } from "./dpop/nonce.ts";
import { checkProof, invalidProof } from "./dpop/proof.ts";
import { memoryReplayStore, type ReplayStore } from "./dpop/replay.ts";
import { AuthError } from "./errors.ts";
import type { Identity } from "./identity.ts";
import { requireFlag, requireSeconds } from "./requirements.ts";
import { digestOf } from "./token-key.ts";

/** How a token came in, for tokens that are bound to a key. */
export interface Presented {
  readonly scheme: "Bearer" | "DPoP";
  readonly method: string;
  /** As the client called it, scheme and host included. */
  readonly url: string;
  /** The `DPoP` header. */
  readonly proof: string | undefined;
}

/** How strictly proofs are taken. */
export interface DpopOptions {
  /** Refuse tokens that are not bound to a key; false unless given. */
  readonly required?: boolean | undefined;
  /** `["ES256", "EdDSA", "Ed25519", "RS256", "PS256"]` unless given. */
  readonly algorithms?: readonly Algorithm[] | undefined;
  /** Seconds by which a proof's `iat` may differ from now; 60 unless given. Proofs are remembered twice as long. */
  readonly windowSeconds?: number | undefined;
  /** With it, proofs must carry a nonce of ours (RFC 9449 section 9). Shared by replicas; at least 32 bytes. */
  readonly nonceSecret?: string | Uint8Array | undefined;
  /** Shared by replicas; in memory unless given. */
  readonly replay?: ReplayStore | undefined;
}

/** Returns a promise only when there is a proof to check. */
type PresentationCheck = (identity: Identity, token: string, presented: Presented | undefined) => void | Promise<void>;

/**
 * Whether the token may be used the way it came: a bound one (`cnf`) only with a proof of its key, and never as a plain
 * bearer token (RFC 9449 section 7.1, RFC 7800).
 * @throws AuthError `token_sender_constrained`, `dpop_proof_invalid`, `dpop_nonce_required`, `token_absent`
 */
export function createPresentationCheck(options: DpopOptions | undefined, clock: Clock): PresentationCheck {
  if (options === undefined) return bearerOnly;
  const { algorithms = ["ES256", "EdDSA", "Ed25519", "RS256", "PS256"] } = options;
  const windowSeconds = requireSeconds(options.windowSeconds ?? 60, "dpop.windowSeconds", 3600);
  const isRequired = requireFlag(options.required ?? false, "dpop.required");
  const replay = options.replay ?? memoryReplayStore();
  const nonces = options.nonceSecret === undefined ? undefined : createNonces(options.nonceSecret);

  return (identity, token, presented) => {
    if (presented?.scheme === "DPoP") return proven(identity, token, presented);
    if (isRequired)
      throw constrained("This service takes tokens bound to a key only: send Authorization: DPoP <token>.");
    return bearerOnly(identity, token, presented);
  };

  async function proven({ claims }: Identity, token: string, { method, url, proof }: Presented): Promise<void> {
    if (proof === undefined) throw invalidProof("there is none; send one DPoP header");
    const now = clock.wallMs() / 1000;
    const checked = await checkProof(proof, { accessToken: token, method, url, algorithms, windowSeconds, now });
    if (!isRecord(claims.cnf) || claims.cnf.jkt !== checked.thumbprint) {
      throw invalidProof("its key is not the one the token is bound to");
    }
    if (nonces !== undefined && !nonces.accepts(checked.nonce, now)) {
      const message = "The DPoP proof needs the nonce of this answer's DPoP-Nonce header.";
      throw new AuthError("dpop_nonce_required", message, { dpopNonce: nonces.issue(now) });
    }
    const unused = await replay.add(digestOf("proof", checked.thumbprint, checked.tokenId), 2 * windowSeconds);
    if (!unused) throw invalidProof("it was used before");
  }
}

function bearerOnly({ claims }: Identity, _token: string, presented: Presented | undefined): void {
  if (presented?.scheme === "DPoP") throw new AuthError("token_absent", "This service takes bearer tokens only.");
  if (Object.hasOwn(claims, "cnf")) throw constrained("The token is bound to a key, so it is no bearer token.");
}

function constrained(message: string): AuthError {
  return new AuthError("token_sender_constrained", message);
}
