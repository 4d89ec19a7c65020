using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace GrayMQ.Filtering.Properties;

/// <summary>
/// Hashes of short texts: eight bytes at a time are multiplied to 128 bits and folded. The seed is another one in every process, so
/// that nobody outside can choose texts that collide.
/// </summary>
internal static class Utf8Hash
{
    private static readonly ulong Seed = MemoryMarshal.Read<ulong>(RandomNumberGenerator.GetBytes(sizeof(ulong)));

    public static uint Of(ReadOnlySpan<byte> utf8)
    {
        ulong hash = Seed ^ (ulong)utf8.Length;
        ReadOnlySpan<byte> rest = utf8;
        for (; rest.Length > sizeof(ulong); rest = rest[sizeof(ulong)..])
        {
            hash = Fold(hash, MemoryMarshal.Read<ulong>(rest));
        }

        // The last eight, some of which may have been there already; of fewer all, some of them twice.
        ulong last = utf8.Length switch
        {
            >= sizeof(ulong) => MemoryMarshal.Read<ulong>(utf8[^sizeof(ulong)..]),
            >= sizeof(uint) => MemoryMarshal.Read<uint>(utf8) | ((ulong)MemoryMarshal.Read<uint>(utf8[^sizeof(uint)..]) << 32),
            0 => 0,
            _ => utf8[0] | ((ulong)utf8[utf8.Length / 2] << 8) | ((ulong)utf8[^1] << 16),
        };
        hash = Fold(hash, last);
        return (uint)(hash ^ (hash >> 32));
    }

    public static uint Of(long high, int low)
    {
        ulong hash = Fold(Seed ^ (uint)low, (ulong)high);
        return (uint)(hash ^ (hash >> 32));
    }

    private static ulong Fold(ulong hash, ulong word)
    {
        ulong high = Math.BigMul(hash ^ 0x9E37_79B9_7F4A_7C15, word ^ 0xD1B5_4A32_D192_ED03, out ulong low);
        return high ^ low;
    }
}
