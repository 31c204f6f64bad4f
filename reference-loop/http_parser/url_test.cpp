#include "reference-loop/http_parser/url.h"

#include <gtest/gtest.h>

namespace http_parser::url_test {
namespace {

// "scheme host port target | host field", or the sentence of the refusal.
std::string outcome_of(std::string_view text) {
  const auto url = Url::parse(text);
  if (!url) return url.error();
  return std::string(url->is_https ? "https " : "http ") + url->host + " " + std::to_string(url->port) + " " +
         url->target + " | " + url->host_field;
}

TEST(Url, is_taken_apart) {
  EXPECT_EQ(outcome_of("http://example.org"), "http example.org 80 / | example.org");
  EXPECT_EQ(outcome_of("HTTPS://Example.ORG/a/b?c=d&e#f"), "https example.org 443 /a/b?c=d&e | example.org");
  EXPECT_EQ(outcome_of("http://h:8080?q"), "http h 8080 /?q | h:8080");
  EXPECT_EQ(outcome_of("https://h:443/"), "https h 443 / | h");
  EXPECT_EQ(outcome_of("http://[::1]:81/x"), "http ::1 81 /x | [::1]:81");
  EXPECT_EQ(outcome_of("http://127.0.0.1/"), "http 127.0.0.1 80 / | 127.0.0.1");
  EXPECT_EQ(outcome_of("http://h/a@b:c"), "http h 80 /a@b:c | h");
}

TEST(Url, is_refused_where_readers_could_disagree_about_the_host) {
  for (const char* text : {"",
                           "example.org",
                           "//example.org/",
                           "ftp://h/",
                           "http://",
                           "http:///x",
                           "http://a@b/",
                           "http://a:b@c/",
                           "http://h\\@evil/",
                           "http://h /",
                           "http://h\r\nX: y/",
                           "http://h:0/",
                           "http://h:65536/",
                           "http://h:/",
                           "http://h:8x/",
                           "http://[::1",
                           "http://[::1]x/",
                           "http://[g]/",
                           "http://b\xc3\xbc/",
                           "http://a,b/",
                           "http://h%00/",
                           "http://[]/",
                           "http://:80/"}) {
    EXPECT_FALSE(Url::parse(text)) << text;
  }
  EXPECT_FALSE(Url::parse("http://" + std::string(254, 'a') + "/"));
  EXPECT_EQ(outcome_of("http://a@b/"), "the URL holds a user name");
}

}  // namespace
}  // namespace http_parser::url_test
