using GrayMQ.Filtering;
using GrayMQ.Protocol.Messages;
using GrayMQ.Store.ConsumeQueues;
using GrayMQ.Store.Reading;

namespace GrayMQ.Broker.Filtering;

/// <summary>
/// An expression that a topic's index knows by a number, from one generation of the index to another. Of messages that were matched in between
/// it reads the answer beside the queue entry; all others it looks at itself. So it is right of every message, and cheap of
/// those that came after it.
/// </summary>
/// <param name="id">Another expression may have it in later generations.</param>
/// <param name="since">The first generation that has it.</param>
internal sealed class IndexedExpression(TopicFilters topic, FilterExpression expression, int id, long since) : IMessageFilter
{
    private long _until = long.MaxValue;
    private volatile int _groups;

    public FilterExpression Expression => expression;

    public int Id => id;

    public long Since => since;

    /// <summary>How many groups subscribe to it.</summary>
    public int Groups
    {
        get => _groups;
        set => _groups = value;
    }

    public bool NeedsMessage => true;

    /// <summary>Whether an index of this generation has answered for it.</summary>
    public bool IsIn(long generation) => generation >= since && generation < Volatile.Read(ref _until);

    /// <summary>No generation from this one on has it: to be called before there is such a one.</summary>
    public void EndAt(long generation) => Volatile.Write(ref _until, generation);

    public bool MatchesEntry(long tagsCode) => true;

    public bool MatchesMessage(in StoredMessage message)
    {
        topic.Statistics.OnLookedAt();
        return expression.Matches(message.Properties);
    }

    // A pop reads the retry topics by the same filter: what is kept there has other numbers.
    public bool ReadsAnswersOf(LogicQueue queue) => queue.Topic == topic.Name;

    public bool? MatchesAnswer(ReadOnlySpan<byte> answer) =>
        IsIn(KeptAnswer.GenerationOf(answer)) ? KeptAnswer.Contains(answer, id) : null;
}
