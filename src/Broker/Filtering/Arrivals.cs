using GrayMQ.Filtering.Indexes;
using GrayMQ.Protocol.Messages;
using GrayMQ.Store.ConsumeQueues;
using GrayMQ.Store.Dispatching;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Filtering;

/// <summary>
/// Asks the topic's index once about each message that arrives, keeps the answer beside the queue entry, and tells all who keep requests
/// for messages. Used by one thread at a time: the dispatcher.
/// </summary>
/// <param name="indexes">Null when there are none to be.</param>
internal sealed class Arrivals(FilterIndexes? indexes, ILogger<Arrivals> logger, params IArrivals[] waiting) : IArrivalListener
{
    private readonly MatchSet _matches = new();
    private byte[] _answer = [];
    private bool _isKeeping = true;

    public void OnArrived(LogicQueue queue, long queueOffset, long tagsCode, in StoredMessage message)
    {
        var arrival = new Arrival
        {
            Queue = queue,
            QueueOffset = queueOffset,
            TagsCode = tagsCode,
            Message = message,
            Answer = indexes is null || indexes.IsEmpty ? null : Match(indexes, queue, queueOffset, tagsCode, in message),
        };

        // The entry was published before this call. Without a full fence it could be read that nobody waits before that is visible to a request
        // that begins to wait, which would then see neither the message nor be seen.
        Interlocked.MemoryBarrier();
        foreach (IArrivals each in waiting)
        {
            each.OnArrived(in arrival);
        }
    }

    private MessageAnswer? Match(FilterIndexes all, LogicQueue queue, long queueOffset, long tagsCode, in StoredMessage message)
    {
        if (all.Find(queue.Topic) is not { Current: { } version } topic)
        {
            return null;
        }

        version.Index.Match(message.Properties, _matches);
        int most = KeptAnswer.MaxBytes(version.Index.IdLimit);
        if (_answer.Length < most)
        {
            _answer = new byte[most];
        }

        int length = KeptAnswer.Write(version.Generation, _matches, _answer);
        if (TryKeep(queue, queueOffset, new ConsumeQueueEntry(message.PhysicalOffset, message.TotalSize, tagsCode), _answer.AsSpan(0, length)))
        {
            topic.Statistics.OnKept(length);
        }
        else
        {
            topic.Statistics.OnNotKept();
        }

        topic.Statistics.OnMatched(_matches);

        return new MessageAnswer(version, _matches);
    }

    // An answer that is not there costs its readers a look at the message, and nothing else.
    private bool TryKeep(LogicQueue queue, long queueOffset, in ConsumeQueueEntry entry, ReadOnlySpan<byte> answer)
    {
        try
        {
            bool kept = queue.TryKeepAnswer(queueOffset, entry, answer);
            _isKeeping |= kept;
            return kept;
        }
        catch (IOException e)
        {
            if (_isKeeping)
            {
                _isKeeping = false;
                Log.AnswersNotKept(logger, e, queue.Topic, queue.QueueId);
            }

            return false;
        }
    }
}
