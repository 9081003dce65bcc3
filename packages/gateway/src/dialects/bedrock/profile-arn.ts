import { isModelId } from "../../http/canonical-path.ts";

/** Neither a region's nor an account's, which AWS's own always have: the names are this gateway's. */
const prefix = "arn:aws:bedrock:::inference-profile/";

/** How the list of inference profiles writes a name of this gateway. */
export function profileArn(name: string): string {
  return `${prefix}${name}`;
}

/** The name that such an ARN stands for; everything else, an ARN of AWS's too, is a name as it is. */
export function nameInProfileArn(identifier: string): string {
  if (!identifier.startsWith(prefix)) return identifier;
  const name = identifier.slice(prefix.length);
  return isModelId(name) ? name : identifier;
}
