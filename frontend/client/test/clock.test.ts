import assert from "node:assert/strict";
import { test } from "node:test";
import { ServerClock } from "../src/clock.js";

/** A clock of ours that is set by hand. */
class Hand {
  shows = 0;
  readonly read = () => this.shows;
}

test("the shortest round trip tells the time", () => {
  const hand = new Hand();
  const clock = new ServerClock(hand.read);
  const slow = clock.roundTrip();
  hand.shows = 100;
  slow(10_090); // its way there took 90 ms, its way back 10: half of a hundred is wrong by 40
  assert.equal(clock.now(), 10_140);
  const quick = clock.roundTrip();
  hand.shows = 104;
  quick(10_202);
  assert.equal(clock.now(), 10_204);
  const slower = clock.roundTrip();
  hand.shows = 204;
  slower(10_400);
  assert.equal(clock.now(), 10_304);
});

test("it never goes back", () => {
  const hand = new Hand();
  const clock = new ServerClock(hand.read);
  clock.roundTrip()(5000);
  assert.equal(clock.now(), 5000);
  clock.roundTrip()(4900); // a better one, and another server's
  assert.equal(clock.now(), 5000);
  hand.shows = 150;
  assert.equal(clock.now(), 5050);
});

test("an old reading is doubted more and more", () => {
  const hand = new Hand();
  const clock = new ServerClock(hand.read);
  clock.roundTrip()(0);
  hand.shows = 600_000;
  const trip = clock.roundTrip();
  hand.shows = 600_020;
  trip(600_110); // the server's quartz is 100 ms faster by now
  assert.equal(clock.now(), 600_120);
});

test("a new line begins with what its welcome says, and trusts the first round trip more", () => {
  const hand = new Hand();
  const clock = new ServerClock(hand.read);
  clock.roundTrip()(1000);
  clock.restart(3_600_000); // the machine has slept, and our clock with it
  assert.equal(clock.now(), 3_600_000);
  const trip = clock.roundTrip();
  hand.shows = 80;
  trip(3_600_100);
  assert.equal(clock.now(), 3_600_140);
});
