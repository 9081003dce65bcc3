import type { IssuerInput } from "./definitions.ts";

type ClientInput = IssuerInput["clients"][string];

/*
 * One issuer for each further make of provider, with the same chain of clients: somebody signs in at Launchpad, its
 * backend goes on to Voicebox, Voicebox to the gateway.
 */
const audiences = { launchpad: [], voicebox: ["voicebox"], "llm-gateway": ["llm-gateway"] };

const hop = (issuer: string, from: string, to: string) => ({
  from: [issuer],
  subjectAudience: from,
  audience: to,
  scopes: [to],
});

/** @param path the provider's name in Launchpad's addresses */
function launchpad(path: string, more: Partial<ClientInput> = {}): ClientInput {
  return {
    name: "Launchpad",
    secret: "launchpad-secret",
    privateKey: true,
    grants: ["authorization_code", "refresh_token"],
    audiences: ["launchpad"],
    paths: {
      redirect: [`/oauth/${path}/redirect`, "/oauth/oidc/redirect"],
      postLogout: ["/", "", "/login"],
      backchannelLogout: `/oauth/${path}/backchannel-logout`,
    },
    ...more,
  };
}

function backend(issuer: string, clientId: string, from: string, to: string): ClientInput {
  return { name: clientId, secret: `${clientId}-secret`, privateKey: true, exchanges: [hop(issuer, from, to)] };
}

const nightlyJob: ClientInput = {
  name: "A job without a user",
  secret: "nightly-job-secret",
  grants: ["client_credentials"],
  audiences: Object.keys(audiences),
};

const withBackends = (issuer: string, login: ClientInput): Record<string, ClientInput> => ({
  launchpad: login,
  "launchpad-backend": backend(issuer, "launchpad-backend", "launchpad", "voicebox"),
  voicebox: backend(issuer, "voicebox", "voicebox", "llm-gateway"),
  "nightly-job": nightlyJob,
});

/** At Entra the application that signs people in is also the one that goes on for them: its own token is the assertion. */
const asEntra = (issuer: "entra" | "entra-v1"): IssuerInput => ({
  title: "Sign-in like Microsoft Entra's",
  dialect: issuer,
  audiences,
  clients: {
    launchpad: launchpad("entra", { exchanges: [hop(issuer, "launchpad", "voicebox")] }),
    voicebox: backend(issuer, "voicebox", "voicebox", "llm-gateway"),
    "nightly-job": nightlyJob,
  },
});

export const otherMakes: Readonly<Record<string, IssuerInput>> = {
  generic: {
    title: "Sign-in by the book",
    dialect: "generic",
    audiences,
    clients: withBackends("generic", launchpad("oidc")),
  },
  keycloak: {
    title: "Sign-in like Keycloak's",
    dialect: "keycloak",
    audiences,
    // The client that exchanges must be in the token's audience: an audience mapper at Launchpad's client.
    audienceClaims: { launchpad: ["launchpad", "launchpad-backend"] },
    clients: withBackends("keycloak", launchpad("keycloak")),
  },
  entra: asEntra("entra"),
  "entra-v1": asEntra("entra-v1"),
  auth0: {
    title: "Sign-in like Auth0's",
    dialect: "auth0",
    audiences,
    clients: withBackends("auth0", launchpad("oidc")),
  },
  zitadel: {
    title: "Sign-in like Zitadel's",
    dialect: "zitadel",
    audiences,
    // Audiences can only shrink, so the first token has all that will be needed.
    audienceClaims: { launchpad: ["launchpad", "voicebox", "llm-gateway"] },
    clients: withBackends("zitadel", launchpad("oidc")),
  },
};
