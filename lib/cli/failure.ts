/** What a user can mend: shown without where in the code it happened. */
export class Failure extends Error {}
