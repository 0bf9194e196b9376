/** Thrown by a step that finds in the input what only eager can answer, such as with an error. */
export const DECLINED = Symbol("declined");
