using System.Buffers.Binary;
using System.Runtime.Intrinsics;
using System.Text;

namespace GrayMQ.Protocol.Messages;

/// <summary>
/// The offset message id (<c>offsetMsgId</c>, <c>msgId</c> of a send reply): where a message is stored, as upper-case hex.
/// <code>
/// 4 or 16 store host address | 4 port | 8 physical offset        32 or 56 hex digits
/// </code>
/// RocketMQ: MessageDecoder.createMessageId.
/// </summary>
public static class MessageId
{
    public const int V4Digits = 32;
    public const int V6Digits = 56;

    /// <summary>Of an id, for the offset.</summary>
    public const int OffsetDigits = 16;

    private const int MaxBytes = V6Digits / 2;

    private static readonly Vector128<byte> Digits = Vector128.Create("0123456789ABCDEF"u8);

    /// <summary>Writes 32 or 56 ASCII digits; false if <paramref name="utf8"/> is too short.</summary>
    public static bool TryFormat(Span<byte> utf8, in MessageHost storeHost, long physicalOffset, out int written)
    {
        Span<byte> bytes = stackalloc byte[MaxBytes];
        int length = Encode(bytes, storeHost, physicalOffset);
        return Convert.TryToHexString(bytes[..length], utf8, out written);
    }

    /// <summary>The digits that all ids of one store begin with; behind them stand those of <see cref="WriteOffset"/>.</summary>
    public static byte[] HostDigits(in MessageHost storeHost)
    {
        Span<byte> bytes = stackalloc byte[MaxBytes];
        return Encoding.ASCII.GetBytes(Convert.ToHexString(bytes[..storeHost.WriteTo(bytes)]));
    }

    /// <summary>Writes the last <see cref="OffsetDigits"/> digits of an id.</summary>
    /// <exception cref="ArgumentException">There is no room for them.</exception>
    public static void WriteOffset(Span<byte> utf8, long physicalOffset)
    {
        // A byte of the number becomes the two digits, of which the upper half is the first.
        Vector128<ushort> bytes = Vector128.WidenLower(
            Vector128.CreateScalar(BinaryPrimitives.ReverseEndianness(physicalOffset)).AsByte());
        Vector128<ushort> halves = (bytes >>> 4) | ((bytes & Vector128.Create((ushort)0xF)) << 8);
        Vector128.Shuffle(Digits, halves.AsByte()).CopyTo(utf8);
    }

    public static string Format(in MessageHost storeHost, long physicalOffset)
    {
        Span<byte> bytes = stackalloc byte[MaxBytes];
        int length = Encode(bytes, storeHost, physicalOffset);
        return Convert.ToHexString(bytes[..length]);
    }

    /// <summary>Reads an id; false for anything that is not 32 or 56 hex digits.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out MessageHost storeHost, out long physicalOffset)
    {
        Span<byte> digits = stackalloc byte[V6Digits];
        if (text.Length is not (V4Digits or V6Digits))
        {
            storeHost = default;
            physicalOffset = 0;
            return false;
        }

        for (int i = 0; i < text.Length; i++)
        {
            digits[i] = char.IsAscii(text[i]) ? (byte)text[i] : (byte)0;
        }

        return TryParse(digits[..text.Length], out storeHost, out physicalOffset);
    }

    /// <inheritdoc cref="TryParse(ReadOnlySpan{char}, out MessageHost, out long)"/>
    public static bool TryParse(ReadOnlySpan<byte> utf8, out MessageHost storeHost, out long physicalOffset)
    {
        storeHost = default;
        physicalOffset = 0;
        if (utf8.Length is not (V4Digits or V6Digits))
        {
            return false;
        }

        Span<byte> bytes = stackalloc byte[MaxBytes];
        if (Convert.FromHexString(utf8, bytes, out _, out int length) != System.Buffers.OperationStatus.Done)
        {
            return false;
        }

        storeHost = MessageHost.Read(bytes, isV6: utf8.Length == V6Digits);
        physicalOffset = BinaryPrimitives.ReadInt64BigEndian(bytes[(length - 8)..]);
        return true;
    }

    private static int Encode(Span<byte> bytes, in MessageHost storeHost, long physicalOffset)
    {
        int length = storeHost.WriteTo(bytes);
        BinaryPrimitives.WriteInt64BigEndian(bytes[length..], physicalOffset);
        return length + 8;
    }
}
