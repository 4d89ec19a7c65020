using System.Text;
using GrayMQ.Protocol.Messages;
using GrayMQ.Protocol.Names;
using GrayMQ.Store;
using GrayMQ.Store.ConsumeQueues;
using GrayMQ.Store.Reading;

namespace GrayMQ.Broker.Transactions;

/// <summary>Finds the records of half messages in the log, and believes no offset that a client names.</summary>
internal sealed class HalfMessageLog(MessageStore store, HalfMessageStore halves)
{
    private static readonly byte[] TopicName = Encoding.UTF8.GetBytes(TopicNames.TransactionHalf);

    /// <summary>Reads a record that the store of half messages knows; false if the log does not have it any more.</summary>
    /// <param name="slices">Keep what is read readable; cleared first.</param>
    public bool TryRead(in HalfMessage half, MessageSlices slices, out StoredMessage message) =>
        TryReadAt(half.PhysicalOffset, slices, out message) && HalfMessageReader.RootOf(in message) == half.Root;

    /// <summary>Reads the half message that stands where a client says, and nothing that only looks like one.</summary>
    /// <inheritdoc cref="TryRead(in HalfMessage, MessageSlices, out StoredMessage)"/>
    public bool TryRead(long physicalOffset, MessageSlices slices, out StoredMessage message)
    {
        if (!TryReadAt(physicalOffset, slices, out message))
        {
            return false;
        }

        // Producers may be faster than the dispatcher. Then they name what they have just sent, or were just asked about.
        return physicalOffset < store.DispatchedOffset
            ? IsInQueue(in message)
            : message.PreparedTransactionOffset == 0 || halves.IsLastRecord(HalfMessageReader.RootOf(in message), physicalOffset);
    }

    private bool TryReadAt(long physicalOffset, MessageSlices slices, out StoredMessage message)
    {
        message = default;
        return physicalOffset >= 0
            && store.TryReadMessage(physicalOffset, slices)
            && StoredMessage.TryRead(slices[0], out message, out _)
            && message.PhysicalOffset == physicalOffset
            && message.QueueId == HalfMessageIntake.QueueId
            && message.Topic.SequenceEqual(TopicName);
    }

    private bool IsInQueue(in StoredMessage message) =>
        store.FindQueue(TopicName, HalfMessageIntake.QueueId) is { } queue
        && queue.TryGetEntry(message.QueueOffset, out ConsumeQueueEntry entry)
        && entry.PhysicalOffset == message.PhysicalOffset;
}
