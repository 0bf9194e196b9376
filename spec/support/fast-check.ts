import fc from "fast-check";

/** Where random cases begin: from one place, so that what passed passes again, unless `SEED` names another. */
const SEED = Number(process.env.SEED ?? 1);

fc.configureGlobal({ seed: SEED });

export { fc, SEED };
