using GrayMQ.Protocol.Messages;
using GrayMQ.Store.ConsumeQueues;
using GrayMQ.Store.Reading;

namespace GrayMQ.Broker.Filtering;

/// <summary>A message that has become readable, and what the index of its topic says of it.</summary>
internal readonly ref struct Arrival
{
    public required LogicQueue Queue { get; init; }

    public required long QueueOffset { get; init; }

    public required long TagsCode { get; init; }

    public required StoredMessage Message { get; init; }

    /// <summary>Null when nobody has an indexed subscription to the topic.</summary>
    public MessageAnswer? Answer { get; init; }

    /// <summary>Whether the message is for who has this filter; null has none.</summary>
    public bool IsFor(IMessageFilter? filter)
    {
        if (filter is null)
        {
            return true;
        }

        return Answer?.Says(filter)
            ?? (filter.MatchesEntry(TagsCode) && (!filter.NeedsMessage || filter.MatchesMessage(Message)));
    }
}

/// <summary>Keeps requests that wait for messages; see <see cref="Store.Dispatching.IArrivalListener"/>.</summary>
internal interface IArrivals
{
    /// <summary>Called behind a full fence: whoever is counted as waiting later than this reads the count finds the message in its queue.</summary>
    void OnArrived(in Arrival arrival);
}
