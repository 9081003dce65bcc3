import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openState, type State } from "./state.ts";

function opened(dataDir?: string): State {
  const state = openState(dataDir);
  onTestFinished(() => state.close());
  return state;
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "idp-state-"));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

test("a record is found in its issuer and model only", async () => {
  const state = opened();
  await state.adapter("default", "Session").upsert("1", { accountId: "alice", uid: "u" }, 60);
  expect(await state.adapter("default", "Session").find("1")).toEqual({ accountId: "alice", uid: "u" });
  expect(await state.adapter("default", "Session").findByUid("u")).toEqual({ accountId: "alice", uid: "u" });
  expect(await state.adapter("llm", "Session").find("1")).toBeUndefined();
  expect(await state.adapter("default", "Grant").find("1")).toBeUndefined();
});

test("an expired record is not found", async () => {
  const tokens = opened().adapter("default", "AccessToken");
  await tokens.upsert("1", {}, 0);
  await tokens.upsert("2", {});
  expect(await tokens.find("1")).toBeUndefined();
  expect(await tokens.find("2")).toEqual({});
});

test("a record is consumed once, though many try at the same time", async () => {
  const tokens = opened().adapter("default", "RefreshToken");
  await tokens.upsert("1", {}, 60);
  const tries = await Promise.allSettled(Array.from({ length: 5 }, () => tokens.consume("1")));
  expect(tries.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  const { consumed } = (await tokens.find("1")) ?? {};
  expect(consumed).toEqual(expect.any(Number));
});

test("revoking a grant takes everything that hangs on it, of this issuer, and nothing that hangs on none", async () => {
  const state = opened();
  const [access, refresh] = [state.adapter("default", "AccessToken"), state.adapter("default", "RefreshToken")];
  const other = state.adapter("llm", "AccessToken");
  await access.upsert("1", { grantId: "g" }, 60);
  await refresh.upsert("2", { grantId: "g" }, 60);
  await access.upsert("3", { grantId: "" }, 60);
  const codes = state.adapter("default", "DeviceCode");
  await codes.upsert("6", { grantId: "g", userCode: "BCDF" }, 60);
  expect(await codes.findByUserCode("BCDF")).toMatchObject({ grantId: "g" });
  await other.upsert("4", { grantId: "g" }, 60);
  const signIns = state.adapter("default", "Interaction");
  await signIns.upsert("5", { grantId: "g" }, 60);
  await access.revokeByGrantId("g");
  await access.revokeByGrantId("");
  const left = await Promise.all([
    access.find("1"),
    refresh.find("2"),
    access.find("3"),
    other.find("4"),
    signIns.find("5"),
    codes.findByUserCode("BCDF"),
  ]);
  expect(left.map((one) => one !== undefined)).toEqual([false, false, true, true, true, false]);
});

test("what was written is there after closing, when it has a folder", async () => {
  const dataDir = folder();
  const before = openState(dataDir);
  before.write("name", "value");
  await before.adapter("default", "Session").upsert("1", { uid: "u" }, 60);
  before.close();
  const after = opened(dataDir);
  expect(after.read("name")).toBe("value");
  expect(await after.adapter("default", "Session").find("1")).toEqual({ uid: "u" });
});

test("records of a model are bounded: the oldest go first", async () => {
  const state = opened();
  const tokens = state.adapter("default", "AccessToken");
  await state.adapter("default", "Session").upsert("kept", {}, 60);
  for (let number = 1; number <= 51_000; number += 1) await tokens.upsert(`${number}`, {}, 60);
  expect(await tokens.find("1")).toBeUndefined();
  expect(await tokens.find("51000")).toEqual({});
  expect(await state.adapter("default", "Session").find("kept")).toEqual({});
}, 60_000);
