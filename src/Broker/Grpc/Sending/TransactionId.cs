using System.Globalization;

namespace GrayMQ.Broker.Grpc.Sending;

/// <summary>
/// Where a transaction's half message is, as clients are told it: 32 hex digits, which hold everything that ends the transaction, so
/// that no broker has to remember it. RocketMQ's proxy remembers instead, and forgets with its process.
/// </summary>
internal readonly record struct TransactionId(long PhysicalOffset, long QueueOffset)
{
    private const int DigitsOfOffset = 16;

    public static bool TryParse(string text, out TransactionId id)
    {
        id = default;
        if (text.Length != 2 * DigitsOfOffset
            || !TryParse(text.AsSpan(0, DigitsOfOffset), out long physicalOffset)
            || !TryParse(text.AsSpan(DigitsOfOffset), out long queueOffset))
        {
            return false;
        }

        id = new TransactionId(physicalOffset, queueOffset);
        return true;
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{PhysicalOffset:X16}{QueueOffset:X16}");

    private static bool TryParse(ReadOnlySpan<char> digits, out long offset) =>
        long.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out offset) && offset >= 0;
}
