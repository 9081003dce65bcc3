/** Grants with a name of their own. */
export const grantTypes = {
  /** RFC 8628, section 3.4; the one of these that the library brings. */
  deviceCode: "urn:ietf:params:oauth:grant-type:device_code",
  /** RFC 8693, section 2.1 */
  tokenExchange: "urn:ietf:params:oauth:grant-type:token-exchange",
  /** RFC 7523, section 2.1 */
  jwtBearer: "urn:ietf:params:oauth:grant-type:jwt-bearer",
} as const;

/** RFC 8693, section 3; the last of the identity assertion draft. */
export const tokenTypes = {
  accessToken: "urn:ietf:params:oauth:token-type:access_token",
  idToken: "urn:ietf:params:oauth:token-type:id_token",
  jwt: "urn:ietf:params:oauth:token-type:jwt",
  refreshToken: "urn:ietf:params:oauth:token-type:refresh_token",
  idJag: "urn:ietf:params:oauth:token-type:id-jag",
} as const;
