#pragma once
// Which headers our own architectures put into a reply. A real server sends more than it must, and bytes
// cost: what is compared with one needs replies of the same size (within 5 %).

namespace tickmark::subject {

/// The option `headers` of every subject that speaks HTTP through HttpSession.
enum class ReplyHeaders {
  kLean,    ///< what the message needs: Content-Length, and Connection where it says something
  kCommon,  ///< and what most servers send: Date, Server, Content-Type, Connection: keep-alive
};

}  // namespace tickmark::subject
