#include "harness/output/progress.h"

#include <gtest/gtest.h>
#include <string>
#include <unistd.h>

namespace tickmark::output {
namespace {

ProgressState state() {
  ProgressState s;
  s.subject = "node_cluster";
  s.cell = "sockets/open/5000/60";
  s.block = 2;
  s.blocks = 6;
  s.done = 17;
  s.total = 361;
  s.eta = 72s;
  s.completed = 1234;
  return s;
}

/// Everything written to the far end so far.
std::string drain(int fd) {
  std::string text(65536, '\0');
  const ssize_t n = ::read(fd, text.data(), text.size());
  text.resize(n > 0 ? static_cast<size_t>(n) : 0);
  return text;
}

TEST(ProgressLine, FitsAnyWidthAndKeepsTheEta) {
  for (int width = 21; width < 200; ++width) {
    const std::string line = progress_line(state(), width);
    EXPECT_LT(line.size(), static_cast<size_t>(width)) << line;
    EXPECT_NE(line.find("17/361 eta 1m12s"), std::string::npos) << line;
  }
  EXPECT_NE(progress_line(state(), 120).find("node_cluster  sockets/open/5000/60  block 3/6"),
            std::string::npos);
}

TEST(ProgressLine, SaysWhenNobodyAnswers) {
  ProgressState s = state();
  s.silent = 3s;
  EXPECT_NE(progress_line(s, 120).find("no reply for 3s"), std::string::npos);
}

TEST(Progress, PlainOutputIsOneLinePerTrialAndNoControlCharacter) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  {
    Progress progress(ends[1], false, false);
    progress.tick(state());
    progress.trial_ended(state(), "ok", "");
    progress.trial_ended(state(), "crashed", "signal 11");
  }
  ::close(ends[1]);
  const std::string text = drain(ends[0]);
  ::close(ends[0]);
  EXPECT_EQ(text,
            "[17/361] sockets/open/5000/60 node_cluster: ok (eta 1m12s)\n"
            "[17/361] sockets/open/5000/60 node_cluster: crashed - signal 11 (eta 1m12s)\n");
}

TEST(Progress, ALiveLineIsRedrawnAtMostFourTimesASecondAndCleared) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  {
    Progress progress(ends[1], true, false);
    progress.tick(state(), 10s);
    progress.tick(state(), 10s + 249ms);
    progress.tick(state(), 10s + 250ms);
    progress.trial_ended(state(), "ok", "");
  }
  ::close(ends[1]);
  const std::string text = drain(ends[0]);
  ::close(ends[0]);
  EXPECT_EQ(text.find('\n'), std::string::npos);
  EXPECT_EQ(text.substr(0, 4), "\r\x1b[K");
  EXPECT_EQ(text.substr(text.size() - 4), "\r\x1b[K");
  size_t drawn = 0;
  for (size_t at = text.find("eta"); at != std::string::npos; at = text.find("eta", at + 1)) ++drawn;
  EXPECT_EQ(drawn, 2u);
}

TEST(DurationText, IsShort) {
  EXPECT_EQ(duration_text(0s), "0s");
  EXPECT_EQ(duration_text(48s), "48s");
  EXPECT_EQ(duration_text(72s), "1m12s");
  EXPECT_EQ(duration_text(3720s), "1h02m");
}

}  // namespace
}  // namespace tickmark::output
