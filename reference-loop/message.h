// What a message port carries: bytes, or a C++ value, moved from one thread to another and never copied.
#pragma once

#include <cstddef>
#include <memory>
#include <typeinfo>
#include <utility>
#include <vector>

namespace refloop {

class Message {
 public:
  Message() = default;
  explicit Message(std::vector<std::byte> moved_bytes) : bytes(std::move(moved_bytes)) {}

  // Carries a value of any movable type: also a PortEnd (message_port.h). One allocation.
  template <typename T>
  static Message of(T value) {
    Message message;
    message.value_ = std::make_unique<Holder<T>>(std::move(value));
    return message;
  }

  // The value, if there is one of exactly this type; it stays the message's. Else nullptr.
  template <typename T>
  T* value() {
    const bool is_it = value_ && value_->type() == typeid(T);
    return is_it ? &static_cast<Holder<T>&>(*value_).value : nullptr;
  }

  std::vector<std::byte> bytes;

 private:
  struct AnyHolder {
    virtual ~AnyHolder() = default;
    virtual const std::type_info& type() const = 0;
  };
  template <typename T>
  struct Holder final : AnyHolder {
    explicit Holder(T moved) : value(std::move(moved)) {}
    const std::type_info& type() const override { return typeid(T); }
    T value;
  };

  std::unique_ptr<AnyHolder> value_;
};

}  // namespace refloop
