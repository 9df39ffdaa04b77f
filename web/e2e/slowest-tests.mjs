// A Playwright reporter: prints the slowest tests after a run, so that nobody has to look for them.
const MAX_SHOWN = 10;

export default class SlowestTests {
  durations = [];

  onTestEnd(test, result) {
    this.durations.push({ seconds: result.duration / 1_000, title: test.title });
  }

  onEnd() {
    const slowest = this.durations.toSorted((a, b) => b.seconds - a.seconds).slice(0, MAX_SHOWN);
    console.log("\nSlowest tests:");
    for (const { seconds, title } of slowest) {
      console.log(`${seconds.toFixed(1).padStart(7)} s  ${title}`);
    }
  }
}
