import { randomBytes } from "node:crypto";
import { Refusal } from "./refusal.ts";
import type { Principal } from "./signature.ts";

/** Sessions handed out; the oldest goes first. */
const maxSessions = 1000;

/** A small STS: AssumeRole with session name and tags, whose credentials the stand-in then accepts. */
export function createSts() {
  const sessions = new Map<string, Principal & { readonly expiresAt: number }>();
  return {
    session(accessKeyId: string): Principal | undefined {
      const found = sessions.get(accessKeyId);
      return found === undefined || found.expiresAt < Date.now() ? undefined : found;
    },
    /** @returns AWS's XML. @throws Refusal when AWS would refuse a value */
    assumeRole(form: URLSearchParams): string {
      if (form.get("Action") !== "AssumeRole")
        throw new Refusal(400, "InvalidAction", "The stand-in knows AssumeRole only.");
      const roleArn = form.get("RoleArn") ?? "";
      const name = form.get("RoleSessionName") ?? "";
      if (!/^arn:aws:iam::\d{12}:role\/[\w+=,.@/-]+$/.test(roleArn)) throw invalid("RoleArn");
      if (!/^[\w+=,.@-]{2,64}$/.test(name)) throw invalid("RoleSessionName");
      const seconds = Number(form.get("DurationSeconds") ?? 3600);
      if (!(seconds >= 900 && seconds <= 43_200)) throw invalid("DurationSeconds");
      const tags = tagsIn(form);
      const principal = {
        accessKeyId: `ASIA${randomBytes(8).toString("hex").toUpperCase()}`,
        secretAccessKey: randomBytes(30).toString("base64"),
        sessionToken: randomBytes(60).toString("base64"),
        arn: `${roleArn.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/")}/${name}`,
        tags,
        expiresAt: Date.now() + seconds * 1000,
      };
      if (sessions.size >= maxSessions) sessions.delete(sessions.keys().next().value ?? "");
      sessions.set(principal.accessKeyId, principal);
      return xml(principal);
    },
  };
}

function tagsIn(form: URLSearchParams): Record<string, string> {
  const tags: Record<string, string> = {};
  for (let index = 1; index <= 50; index += 1) {
    const key = form.get(`Tags.member.${index}.Key`);
    if (key === null) break;
    const value = form.get(`Tags.member.${index}.Value`) ?? "";
    if (!/^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/u.test(key) || !/^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u.test(value))
      throw invalid("Tags");
    tags[key] = value;
  }
  return tags;
}

function invalid(field: string): Refusal {
  return new Refusal(
    400,
    "ValidationError",
    `1 validation error detected: Value at '${field}' failed to satisfy constraint.`,
  );
}

function xml(principal: Principal & { readonly expiresAt: number }): string {
  return `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>
<AssumedRoleUser><AssumedRoleId>AROASTANDIN:session</AssumedRoleId><Arn>${principal.arn}</Arn></AssumedRoleUser>
<Credentials><AccessKeyId>${principal.accessKeyId}</AccessKeyId><SecretAccessKey>${principal.secretAccessKey}</SecretAccessKey>
<SessionToken>${principal.sessionToken}</SessionToken><Expiration>${new Date(principal.expiresAt).toISOString()}</Expiration></Credentials>
</AssumeRoleResult><ResponseMetadata><RequestId>stand-in</RequestId></ResponseMetadata></AssumeRoleResponse>`;
}
