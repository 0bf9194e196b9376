/** Timers of a page that do not wait longer than they are told to. */

let channel: MessageChannel | null = null;
const calls: (() => void)[] = [];
const times: number[] = [];

/** A timer that was set by a timer waits for 4 ms at least: this one is set by a message. */
export function soon(call: () => void, milliseconds: number): void {
  if (channel === null) {
    channel = new MessageChannel();
    channel.port1.onmessage = () => setTimeout(calls.shift()!, times.shift());
  }
  // No function that holds both: it would be garbage of each look.
  calls.push(call);
  times.push(milliseconds);
  channel.port2.postMessage(null);
}
