// What the engine lends a step: the interfaces of wit/, as componentize-qjs shows them.

declare module "sandbook:step/http@0.1.0" {
  import type { Credential } from "sandbook:step/secrets@0.1.0";

  export interface Request {
    method: string;
    url: string;
    headers: { name: string; value: string }[];
    body: Uint8Array | null;
    repeatable: boolean | null;
    timeout: number | null;
  }

  export interface Response {
    status: number;
    headers: { name: string; value: string }[];
    body: Uint8Array;
  }

  /** What `send` throws, as it is or as the `payload` of an Error. */
  export type HttpError =
    | { tag: "denied" | "unreachable" | "timed-out" | "too-large" | "malformed"; val: string }
    | { tag: "held-back" };

  const http: { send(request: Request, credential: Credential | null): Response };
  export default http;
}

declare module "sandbook:step/secrets@0.1.0" {
  /** To be used, not to be seen. */
  export interface Credential {
    [Symbol.dispose]?(): void;
  }

  const secrets: { open(slot: string): Credential };
  export default secrets;
}

declare module "sandbook:step/log@0.1.0" {
  const log: { write(level: "debug" | "info" | "warn" | "error", message: string): void };
  export default log;
}

declare module "sandbook:step/progress@0.1.0" {
  const progress: { report(message: string, fraction: number | null): void };
  export default progress;
}

declare module "sandbook:step/timer@0.1.0" {
  const timer: { sleep(milliseconds: number): void };
  export default timer;
}
