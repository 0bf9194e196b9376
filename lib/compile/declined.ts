/**
 * Thrown during a run when an input has values that only the eager model can handle, such as an
 * index that is out of range.
 */
export const DECLINED = Symbol("declined");
