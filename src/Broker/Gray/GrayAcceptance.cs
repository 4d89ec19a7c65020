using System.Buffers.Text;
using System.Text;
using GrayMQ.Gray;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Broker.Gray;

/// <summary>
/// Where in the log a message was accepted first. What waited points back at the record that waited, by PreparedTransactionOffset: a due
/// timer with all bits turned, a committed transaction as it is. What waited twice, a time beyond the window or a transaction whose message is
/// delayed, points at the second record only: gray ones carry the offset of the first in <see cref="GrayMark.AcceptedAt"/>.
/// </summary>
internal static class GrayAcceptance
{
    private static readonly byte[] Property = Encoding.UTF8.GetBytes(GrayMark.AcceptedAt);

    /// <summary>To be removed where a message is accepted: what it says of an earlier time is not of this one.</summary>
    public static ReadOnlySpan<byte> PropertyName => Property;

    /// <summary>Physical offset of the record with which the broker took a message over.</summary>
    public static long OffsetOf(in StoredMessage message) =>
        message.PreparedTransactionOffset == 0 ? message.PhysicalOffset
        : message.TryGetProperty(Property, out ReadOnlySpan<byte> digits)
            && Utf8Parser.TryParse(digits, out long offset, out int read)
            && read == digits.Length
            && offset >= 0 ? offset
        : message.PreparedTransactionOffset < 0 ? ~message.PreparedTransactionOffset
        : message.PreparedTransactionOffset;

    /// <summary>Says on a gray message that waits on, in another record, where it was accepted.</summary>
    public static void Keep(scoped ref MessagePropertiesEditor properties, in StoredMessage message)
    {
        if (GrayView.IsMarked(message.Properties))
        {
            properties.Set(Property, OffsetOf(in message));
        }
    }
}
