/* What ctypes may see of the kernel: everything else stays inside of the library. */
#ifndef TRANSLATE_EXPORTED_H
#define TRANSLATE_EXPORTED_H

#if defined(_WIN32)
#define EXPORTED __declspec(dllexport)
#else
#define EXPORTED __attribute__((visibility("default")))
#endif

#endif
