// libuv: the loop under Node, programmed as its users do in C and C++.

#include "baselines/libuv/uv_subject.h"

int main(int argc, char** argv) { return tickmark::uv_subject_main(argc, argv, "libuv"); }
