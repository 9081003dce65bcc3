import { LRUCache } from "lru-cache";
import { z } from "zod";
import { isGlobal, modelNames } from "../upstreams/bedrock/model-id.ts";

/** USD per million tokens, by kind. */
export interface Price {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  /** Kept for five minutes, as it is when nobody says otherwise. */
  readonly cacheWrite: number;
  /** Kept for an hour. */
  readonly cacheWriteHour: number;
  /** What everything costs in a call whose prompt, cached parts included, has more tokens than this. */
  readonly above?: { readonly promptTokens: number; readonly price: Rates };
  /** Where the figure comes from, and of which day it is. */
  readonly source: string;
  readonly date: string;
}

/** USD per million tokens, without where they come from. */
export type Rates = Pick<Price, "input" | "output" | "cacheRead" | "cacheWrite" | "cacheWriteHour">;

const usd = z.number().min(0);

/** `prices` of gateway.yaml: the provider's model id (or the model name clients use) → USD per million tokens. */
export const priceOverrides = z.record(
  z.string().min(1),
  z.strictObject({
    input: usd,
    output: usd.default(0),
    cache_read: usd.optional(),
    cache_write: usd.optional(),
    cache_write_1h: usd.optional(),
    source: z.string().default("gateway.yaml"),
    date: z.string().default(""),
  }),
);

/** The file's own prices, in USD per million tokens; they win over the built-in table. */
export type PriceOverrides = z.output<typeof priceOverrides>;

const aws = "https://aws.amazon.com/bedrock/pricing/ (us-east-1, on demand, standard tier)";
const checked = "2026-11-22";

/**
 * List prices of the models that are asked for most, as public price tables had them on the day named. Figures of AWS
 * may differ by region and contract: put yours under `prices`. Ids are without geography, date and version.
 */
const listed: Readonly<Record<string, Price>> = {
  "anthropic.claude-fable-5-2": claude(8, 40, 0.025),
  "anthropic.claude-fable-5-1": claude(10, 50, 0.025),
  "anthropic.claude-fable-5": claude(10, 50),
  "anthropic.claude-mythos-5-1": claude(10, 50, 0.025),
  "anthropic.claude-mythos-5": claude(10, 50),
  "anthropic.claude-opus-5-5": claude(4, 20, 0.05),
  "anthropic.claude-opus-5": claude(5, 25),
  "anthropic.claude-opus-4-8": claude(5, 25),
  "anthropic.claude-opus-4-7": claude(5, 25),
  "anthropic.claude-opus-4-6": claude(5, 25),
  "anthropic.claude-opus-4-5": claude(5, 25),
  "anthropic.claude-opus-4-1": claude(15, 75),
  "anthropic.claude-sonnet-5-5": claude(2, 10, 0.05),
  "anthropic.claude-sonnet-5": claude(2, 10),
  "anthropic.claude-sonnet-4-6": claude(3, 15),
  "anthropic.claude-sonnet-4-5": claude(3, 15),
  "anthropic.claude-sonnet-4": claude(3, 15),
  "anthropic.claude-haiku-5-5": { ...claude(0.1, 0.5), above: { promptTokens: 100_000, price: claude(0.5, 2.5) } },
  "anthropic.claude-haiku-4-5": claude(1, 5),
  "anthropic.claude-3-7-sonnet": claude(3, 15),
  "anthropic.claude-3-5-haiku": claude(0.8, 4),
  "anthropic.claude-3-haiku": claude(0.25, 1.25),
  "amazon.nova-micro": nova(0.035, 0.14),
  "amazon.nova-lite": nova(0.06, 0.24),
  "amazon.nova-pro": nova(0.8, 3.2),
  "meta.llama3-3-70b-instruct": plain(0.72, 0.72),
  "meta.llama3-1-70b-instruct": plain(0.72, 0.72),
  "meta.llama3-1-8b-instruct": plain(0.22, 0.22),
  "amazon.titan-embed-text-v2": plain(0.02, 0),
  "cohere.embed-english-v3": plain(0.1, 0),
  "cohere.embed-multilingual-v3": plain(0.1, 0),
};

/** Since the 4.5 generation AWS asks a tenth more for an endpoint bound to a geography than for the global one. */
const geographySurcharge = 1.1;
const surcharged = /^anthropic\.claude-[a-z]+-(?:4-(?:[5-9]|\d\d)|[5-9]|\d\d)(?:-|$)/;

/** The price of a model, by the provider's name for it or else by ours; undefined: unpriced, never free. */
export type FindPrice = (providerModel: string, model: string) => Price | undefined;

/** Looks a price up: the operator's own first, by provider's id or client's name, then the list. */
export function createPrices(overrides: PriceOverrides): FindPrice {
  const own = new Map(Object.entries(overrides).map(([id, entry]) => [id, ownPrice(entry)]));
  const ownByName = (id: string): Price | undefined =>
    modelNames(id)
      .map((name) => own.get(name))
      .find((price) => price !== undefined);
  const find: FindPrice = (providerModel, model) => {
    const [, provider, id = providerModel] = /^(bedrock|openai|anthropic|azure)\/(.*)$/s.exec(providerModel) ?? [];
    const listPrice = provider === "anthropic" ? anthropicPrice(id) : bedrockPrice(id);
    return own.get(id) ?? own.get(providerModel) ?? own.get(model) ?? ownByName(id) ?? listPrice;
  };
  // Asked twice a request about few models; a client's wildcard name can make it many.
  const known = new LRUCache<string, { readonly price: Price | undefined }>({ max: 1_000 });
  return (providerModel, model) => {
    const key = `${providerModel}\n${model}`;
    let found = known.get(key);
    if (found === undefined) {
      found = { price: find(providerModel, model) };
      known.set(key, found);
    }
    return found.price;
  };
}

function bedrockPrice(id: string): Price | undefined {
  const name = modelNames(id)
    .map(undated)
    .find((one) => Object.hasOwn(listed, one));
  const price = name === undefined ? undefined : listed[name];
  if (name === undefined || price === undefined || !surcharged.test(name) || isGlobal(id)) return price;
  const { above } = price;
  return {
    ...price,
    ...inGeography(price),
    ...(above === undefined ? {} : { above: { ...above, price: inGeography(above.price) } }),
  };
}

/** Anthropic itself asks what AWS asks for the global endpoint. */
function anthropicPrice(id: string): Price | undefined {
  const name = `anthropic.${undated(id)}`;
  return Object.hasOwn(listed, name) ? listed[name] : undefined;
}

function undated(name: string): string {
  return name.replace(/-20\d{6}$/, "");
}

function inGeography({ input, output, cacheRead, cacheWrite, cacheWriteHour }: Rates): Rates {
  return {
    input: input * geographySurcharge,
    output: output * geographySurcharge,
    cacheRead: cacheRead * geographySurcharge,
    cacheWrite: cacheWrite * geographySurcharge,
    cacheWriteHour: cacheWriteHour * geographySurcharge,
  };
}

function ownPrice(entry: PriceOverrides[string]): Price {
  const cacheWrite = entry.cache_write ?? entry.input;
  return {
    input: entry.input,
    output: entry.output,
    cacheRead: entry.cache_read ?? entry.input,
    cacheWrite,
    cacheWriteHour: entry.cache_write_1h ?? cacheWrite,
    source: entry.source,
    date: entry.date,
  };
}

/** Anthropic's rule: writing the cache costs a quarter more than the input, for an hour twice as much. */
function claude(input: number, output: number, readShare = 0.1): Price {
  const cache = { cacheRead: input * readShare, cacheWrite: input * 1.25, cacheWriteHour: input * 2 };
  return { input, output, ...cache, source: aws, date: checked };
}

/** Nova: cached input costs a quarter, writing the cache nothing beyond the input. */
function nova(input: number, output: number): Price {
  return {
    input,
    output,
    cacheRead: input * 0.25,
    cacheWrite: input,
    cacheWriteHour: input,
    source: aws,
    date: checked,
  };
}

function plain(input: number, output: number): Price {
  return { input, output, cacheRead: input, cacheWrite: input, cacheWriteHour: input, source: aws, date: checked };
}
