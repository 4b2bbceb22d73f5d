/** The longest delay of JavaScript's timers, in milliseconds: they fire a longer one at once. */
export const maxTimerMs = 2 ** 31 - 1;
