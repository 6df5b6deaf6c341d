// What a websocket's handshake needs: base64(SHA-1(key + a fixed GUID)), RFC 6455. `in` is shorter than 120 bytes.
#ifndef SHA1_H
#define SHA1_H
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static inline uint32_t turned(uint32_t word, int bits) { return word << bits | word >> (32 - bits); }

static inline void sha1(const char *in, size_t length, unsigned char out[20]) {
    uint32_t h[5] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
    unsigned char text[128] = {0};
    size_t blocks = (length + 8) / 64 + 1;
    memcpy(text, in, length);
    text[length] = 0x80;
    text[blocks * 64 - 2] = length * 8 >> 8, text[blocks * 64 - 1] = length * 8 & 255;
    for (size_t block = 0; block < blocks; block++) {
        uint32_t w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
        for (int i = 0; i < 16; i++) {
            unsigned char *at = text + block * 64 + i * 4;
            w[i] = (uint32_t)at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3];
        }
        for (int i = 16; i < 80; i++) w[i] = turned(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
        for (int i = 0; i < 80; i++) {
            uint32_t f = i < 20 ? (b & c) | (~b & d) : i < 40 || i >= 60 ? b ^ c ^ d : (b & c) | (b & d) | (c & d);
            uint32_t k = i < 20 ? 0x5A827999 : i < 40 ? 0x6ED9EBA1 : i < 60 ? 0x8F1BBCDC : 0xCA62C1D6;
            uint32_t next = turned(a, 5) + f + e + k + w[i];
            e = d, d = c, c = turned(b, 30), b = a, a = next;
        }
        h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e;
    }
    for (int i = 0; i < 20; i++) out[i] = h[i / 4] >> (24 - 8 * (i % 4));
}

static inline void accept_key(const char *key, size_t length, char out[29]) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char text[128];
    unsigned char sum[21] = {0};
    int size = snprintf(text, sizeof text, "%.*s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", (int)(length > 60 ? 60 : length), key);
    sha1(text, size, sum);
    for (int i = 0, o = 0; i < 21; i += 3, o += 4) {
        uint32_t three = sum[i] << 16 | sum[i + 1] << 8 | sum[i + 2];
        for (int j = 0; j < 4; j++) out[o + j] = digits[three >> (18 - 6 * j) & 63];
    }
    out[27] = '=', out[28] = 0;
}
#endif
