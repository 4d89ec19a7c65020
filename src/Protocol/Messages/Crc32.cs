using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using ArmCrc32 = System.Runtime.Intrinsics.Arm.Crc32;

namespace GrayMQ.Protocol.Messages;

/// <summary>
/// CRC-32 with zlib's polynomial (reflected 0xEDB88320), the sum that RocketMQ stores with message bodies
/// (<see cref="OfBody(ReadOnlySpan{byte})"/> drops its top bit, as RocketMQ does) and sends with registrations.
/// Folded 64 bytes at a time by carry-less multiplication where the CPU has it
/// (Gopal et al., "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ"), else by tables.
/// </summary>
public static class Crc32
{
    private const int FoldBytes = 64;

    private static readonly uint[] Tables = MakeTables();

    /// <summary>The CRC of <paramref name="data"/>, as zlib's <c>crc32</c> and <c>java.util.zip.CRC32</c> give it.</summary>
    public static uint Compute(ReadOnlySpan<byte> data) => Append(0, data);

    public static uint Compute(in ReadOnlySequence<byte> data)
    {
        uint crc = 0;
        foreach (ReadOnlyMemory<byte> segment in data)
        {
            crc = Append(crc, segment.Span);
        }

        return crc;
    }

    /// <summary>The body CRC of a stored message: 31 bits (RocketMQ: UtilAll.crc32).</summary>
    public static int OfBody(ReadOnlySpan<byte> body) => ToBodyCrc(Compute(body));

    public static int OfBody(in ReadOnlySequence<byte> body) => ToBodyCrc(Compute(body));

    public static int ToBodyCrc(uint crc) => (int)(crc & 0x7FFFFFFF);

    /// <summary>Continues <paramref name="crc"/> (0 to begin with) with more bytes.</summary>
    public static uint Append(uint crc, ReadOnlySpan<byte> data)
    {
        uint state = ~crc;
        if (Pclmulqdq.IsSupported && Sse2.IsSupported && data.Length >= FoldBytes)
        {
            int folded = data.Length & ~15;
            state = Fold(state, data[..folded]);
            data = data[folded..];
        }

        return ~(ArmCrc32.Arm64.IsSupported ? UpdateArm(state, data) : UpdateByTables(state, data));
    }

    /// <summary>The table-driven form alone: what runs without PCLMULQDQ, and the reference in tests.</summary>
    internal static uint AppendByTables(uint crc, ReadOnlySpan<byte> data) => ~UpdateByTables(~crc, data);

    private static uint UpdateArm(uint state, ReadOnlySpan<byte> data)
    {
        while (data.Length >= 8)
        {
            state = ArmCrc32.Arm64.ComputeCrc32(state, BinaryPrimitives.ReadUInt64LittleEndian(data));
            data = data[8..];
        }

        foreach (byte b in data)
        {
            state = ArmCrc32.ComputeCrc32(state, b);
        }

        return state;
    }

    // Slicing by eight: Tables[k * 256 + b] is the effect of byte b followed by k zero bytes.
    private static uint UpdateByTables(uint state, ReadOnlySpan<byte> data)
    {
        ReadOnlySpan<uint> tables = Tables;
        while (data.Length >= 8)
        {
            uint low = BinaryPrimitives.ReadUInt32LittleEndian(data) ^ state;
            uint high = BinaryPrimitives.ReadUInt32LittleEndian(data[4..]);
            state = tables[(7 * 256) + (int)(low & 0xFF)]
                ^ tables[(6 * 256) + (int)((low >> 8) & 0xFF)]
                ^ tables[(5 * 256) + (int)((low >> 16) & 0xFF)]
                ^ tables[(4 * 256) + (int)(low >> 24)]
                ^ tables[(3 * 256) + (int)(high & 0xFF)]
                ^ tables[(2 * 256) + (int)((high >> 8) & 0xFF)]
                ^ tables[256 + (int)((high >> 16) & 0xFF)]
                ^ tables[(int)(high >> 24)];
            data = data[8..];
        }

        foreach (byte b in data)
        {
            state = tables[(int)((state ^ b) & 0xFF)] ^ (state >> 8);
        }

        return state;
    }

    // Constants are x^n mod P for the fold distances, bit-reflected, from the paper.
    // data is at least 64 bytes and a multiple of 16.
    private static uint Fold(uint state, ReadOnlySpan<byte> data)
    {
        Vector128<ulong> k1k2 = Vector128.Create(0x0154442bd4UL, 0x01c6e41596UL);
        Vector128<ulong> k3k4 = Vector128.Create(0x01751997d0UL, 0x00ccaa009eUL);
        Vector128<ulong> k5 = Vector128.Create(0x0163cd6124UL, 0UL);
        Vector128<ulong> polynomial = Vector128.Create(0x01db710641UL, 0x01f7011641UL);
        Vector128<ulong> mask32 = Vector128.Create(0x00000000FFFFFFFFUL, 0UL);

        ref byte source = ref MemoryMarshal.GetReference(data);
        int length = data.Length;

        Vector128<ulong> x1 = Load(ref source, 0) ^ Vector128.CreateScalar(state).AsUInt64();
        Vector128<ulong> x2 = Load(ref source, 16);
        Vector128<ulong> x3 = Load(ref source, 32);
        Vector128<ulong> x4 = Load(ref source, 48);
        int position = FoldBytes;

        while (length - position >= FoldBytes)
        {
            x1 = FoldInto(x1, k1k2, Load(ref source, position));
            x2 = FoldInto(x2, k1k2, Load(ref source, position + 16));
            x3 = FoldInto(x3, k1k2, Load(ref source, position + 32));
            x4 = FoldInto(x4, k1k2, Load(ref source, position + 48));
            position += FoldBytes;
        }

        x1 = FoldInto(x1, k3k4, x2);
        x1 = FoldInto(x1, k3k4, x3);
        x1 = FoldInto(x1, k3k4, x4);

        while (length - position >= 16)
        {
            x1 = FoldInto(x1, k3k4, Load(ref source, position));
            position += 16;
        }

        // 128 bits to 64, then to 32, then Barrett reduction.
        x1 = Sse2.ShiftRightLogical128BitLane(x1, 8) ^ Pclmulqdq.CarrylessMultiply(x1, k3k4, 0x10);
        x1 = Pclmulqdq.CarrylessMultiply(x1 & mask32, k5, 0x00) ^ Sse2.ShiftRightLogical128BitLane(x1, 4);

        Vector128<ulong> t = Pclmulqdq.CarrylessMultiply(x1 & mask32, polynomial, 0x10);
        t = Pclmulqdq.CarrylessMultiply(t & mask32, polynomial, 0x00);
        return (x1 ^ t).AsUInt32().GetElement(1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> FoldInto(Vector128<ulong> x, Vector128<ulong> k, Vector128<ulong> next) =>
        Pclmulqdq.CarrylessMultiply(x, k, 0x00) ^ Pclmulqdq.CarrylessMultiply(x, k, 0x11) ^ next;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> Load(ref byte source, int offset) =>
        Vector128.LoadUnsafe(ref source, (nuint)offset).AsUInt64();

    private static uint[] MakeTables()
    {
        const uint Polynomial = 0xEDB88320;
        uint[] tables = new uint[8 * 256];
        for (uint i = 0; i < 256; i++)
        {
            uint crc = i;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) != 0 ? (crc >> 1) ^ Polynomial : crc >> 1;
            }

            tables[i] = crc;
        }

        for (int i = 256; i < tables.Length; i++)
        {
            uint previous = tables[i - 256];
            tables[i] = (previous >> 8) ^ tables[previous & 0xFF];
        }

        return tables;
    }
}
