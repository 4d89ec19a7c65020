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
/// Folded by carry-less multiplication where the CPU has it, 256 bytes at a time where it has that for 512 bits, else 64
/// (Gopal et al., "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ"); without it, by tables.
/// </summary>
public static class Crc32
{
    private const uint Polynomial = 0xEDB88320;
    private const int FoldBytes = 64;
    private const int WideFoldBytes = 256;

    private static readonly uint[] Tables = MakeTables();

    // By how many bits each of the wide accumulators is carried on at a time, and what for.
    private static readonly Vector128<ulong> AcrossWideFold = FoldConstants(WideFoldBytes * 8);
    private static readonly Vector128<ulong> AcrossFold = FoldConstants(FoldBytes * 8);
    private static readonly Vector128<ulong> AcrossLane = FoldConstants(128);

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

    // data is at least 64 bytes and a multiple of 16.
    private static uint Fold(uint state, ReadOnlySpan<byte> data)
    {
        Vector128<ulong> k1k2 = AcrossFold;
        Vector128<ulong> k3k4 = AcrossLane;
        Vector128<ulong> k5 = Vector128.Create(0x0163cd6124UL, 0UL);
        Vector128<ulong> polynomial = Vector128.Create(0x01db710641UL, 0x01f7011641UL);
        Vector128<ulong> mask32 = Vector128.Create(0x00000000FFFFFFFFUL, 0UL);

        ref byte source = ref MemoryMarshal.GetReference(data);
        int length = data.Length;

        Vector128<ulong> x1, x2, x3, x4;
        int position;
        if (Pclmulqdq.V512.IsSupported && length >= WideFoldBytes)
        {
            Vector512<ulong> wide = FoldWide(ref source, length, state, out position);
            x1 = wide.GetLower().GetLower();
            x2 = wide.GetLower().GetUpper();
            x3 = wide.GetUpper().GetLower();
            x4 = wide.GetUpper().GetUpper();
        }
        else
        {
            x1 = Load(ref source, 0) ^ Vector128.CreateScalar(state).AsUInt64();
            x2 = Load(ref source, 16);
            x3 = Load(ref source, 32);
            x4 = Load(ref source, 48);
            position = FoldBytes;
        }

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

    // Folds as many times 256 bytes as there are, and what that leaves into 64.
    private static Vector512<ulong> FoldWide(ref byte source, int length, uint state, out int position)
    {
        Vector512<ulong> acrossWide = Vector512.Create(Vector256.Create(AcrossWideFold, AcrossWideFold), Vector256.Create(AcrossWideFold, AcrossWideFold));
        Vector512<ulong> across = Vector512.Create(Vector256.Create(AcrossFold, AcrossFold), Vector256.Create(AcrossFold, AcrossFold));
        Vector512<ulong> x1 = LoadWide(ref source, 0) ^ Vector512.CreateScalar(state).AsUInt64();
        Vector512<ulong> x2 = LoadWide(ref source, 64);
        Vector512<ulong> x3 = LoadWide(ref source, 128);
        Vector512<ulong> x4 = LoadWide(ref source, 192);
        for (position = WideFoldBytes; length - position >= WideFoldBytes; position += WideFoldBytes)
        {
            x1 = FoldInto(x1, acrossWide, LoadWide(ref source, position));
            x2 = FoldInto(x2, acrossWide, LoadWide(ref source, position + 64));
            x3 = FoldInto(x3, acrossWide, LoadWide(ref source, position + 128));
            x4 = FoldInto(x4, acrossWide, LoadWide(ref source, position + 192));
        }

        return FoldInto(FoldInto(FoldInto(x1, across, x2), across, x3), across, x4);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ulong> FoldInto(Vector512<ulong> x, Vector512<ulong> k, Vector512<ulong> next) =>
        Pclmulqdq.V512.CarrylessMultiply(x, k, 0x00) ^ Pclmulqdq.V512.CarrylessMultiply(x, k, 0x11) ^ next;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ulong> LoadWide(ref byte source, int offset) =>
        Vector512.LoadUnsafe(ref source, (nuint)offset).AsUInt64();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> FoldInto(Vector128<ulong> x, Vector128<ulong> k, Vector128<ulong> next) =>
        Pclmulqdq.CarrylessMultiply(x, k, 0x00) ^ Pclmulqdq.CarrylessMultiply(x, k, 0x11) ^ next;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> Load(ref byte source, int offset) =>
        Vector128.LoadUnsafe(ref source, (nuint)offset).AsUInt64();

    // What the halves of 128 bits are multiplied by to be carried on by so many bits.
    private static Vector128<ulong> FoldConstants(int bits) => Vector128.Create(FoldConstant(bits + 32), FoldConstant(bits - 32));

    // x^bits mod P, reflected, and shifted by the bit that multiplying reflected numbers loses.
    private static ulong FoldConstant(int bits)
    {
        uint power = 0x80000000;
        for (int i = 0; i < bits; i++)
        {
            power = (power & 1) != 0 ? (power >> 1) ^ Polynomial : power >> 1;
        }

        return (ulong)power << 1;
    }

    private static uint[] MakeTables()
    {
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
