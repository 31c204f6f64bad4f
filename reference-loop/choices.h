// Where the world is free, somebody has to decide: which of two ready descriptors comes first, how long a
// piece of work takes, whether a read is short. A simulation (simulation.h) asks a Choices, and nothing
// else makes two of its runs differ. So a run is replayed by giving the same answers, and all runs of a
// small program are enumerated by giving every answer once.
//
//   SeededChoices     answers at random; the same seed, the same answers
//   RecordingChoices  passes on what another one answers, and keeps it
//   ReplayedChoices   answers from such a list
//   Explorer          goes through every sequence of answers, one run of the program each
//
// A question with one possible answer is not asked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "reference-loop/time.h"

namespace refloop {

class Choices {
 public:
  Choices() = default;
  virtual ~Choices() = default;
  Choices(const Choices&) = delete;
  Choices& operator=(const Choices&) = delete;

  // One of `options` things that are equally likely: 0 .. options-1; options >= 1.
  std::size_t pick(std::size_t options);
  // True in `permille` of a thousand cases. 0: never, 1000: always.
  bool chance(unsigned permille);
  // A time of least .. most, both included; an Explorer tries these two.
  Nanos between(Nanos least, Nanos most);

 protected:
  struct Question {
    enum class Kind : std::uint8_t { pick, chance, between };
    Kind kind;
    std::uint64_t limit;  // options; permille; width of the range in ns
  };
  // pick: 0 .. limit-1; chance: 0 or 1; between: 0 .. limit.
  virtual std::uint64_t answer(const Question& question) = 0;

 private:
  friend class RecordingChoices;
};

using Answers = std::vector<std::uint64_t>;

class SeededChoices final : public Choices {
 public:
  explicit SeededChoices(std::uint64_t seed) : state_(seed) {}

 private:
  std::uint64_t answer(const Question& question) override;
  std::uint64_t below(std::uint64_t limit);

  std::uint64_t state_;
};

class RecordingChoices final : public Choices {
 public:
  explicit RecordingChoices(Choices& inner) : inner_(inner) {}
  const Answers& answers() const { return answers_; }

 private:
  std::uint64_t answer(const Question& question) override;

  Choices& inner_;
  Answers answers_;
};

// Behind the end of the list every answer is 0, and one that is out of range is brought into it: a list
// that was shortened or changed by hand is a run, too.
class ReplayedChoices final : public Choices {
 public:
  explicit ReplayedChoices(Answers answers) : answers_(std::move(answers)) {}

 private:
  std::uint64_t answer(const Question& question) override;

  Answers answers_;
  std::size_t next_ = 0;
};

// Every run of a program, depth first:
//
//   Explorer explorer;
//   while (explorer.next()) {
//     Simulation simulation({.choices = &explorer, .timing = Timing::open});
//     ...  // the program, which must do the same whenever the answers are the same
//   }
class Explorer final : public Choices {
 public:
  // Prepares the next run. False: all have been made.
  bool next();
  std::uint64_t runs() const { return runs_; }
  // The answers of the current run so far; ReplayedChoices repeats it.
  Answers answers() const;

 private:
  // A question of the current run: the answers before `taken` have been explored.
  struct Branch {
    std::uint64_t taken;
    std::uint64_t options;
    std::uint64_t width;  // of a between, which has two options: 0 and this
  };

  std::uint64_t answer(const Question& question) override;
  static std::uint64_t answer_of(const Branch& branch);

  std::vector<Branch> path_;
  std::size_t depth_ = 0;
  std::uint64_t runs_ = 0;
};

}  // namespace refloop
