using GrayMQ.Protocol.Messages;
using GrayMQ.Store.ConsumeQueues;

namespace GrayMQ.Store.Reading;

/// <summary>Chooses messages for a consumer; asked for every entry that a read passes.</summary>
public interface IMessageFilter
{
    /// <summary>A first answer from the consume-queue entry alone; true if the message has to be looked at.</summary>
    bool MatchesEntry(long tagsCode);

    /// <summary>Asked only if <see cref="NeedsMessage"/>, after <see cref="MatchesEntry"/> has said yes.</summary>
    bool MatchesMessage(in StoredMessage message);

    bool NeedsMessage { get; }

    /// <summary>Does it know what is kept beside the entries of this queue (<see cref="LogicQueue.TryKeepAnswer"/>)?</summary>
    bool ReadsAnswersOf(LogicQueue queue) => false;

    /// <summary>
    /// Asked only if <see cref="ReadsAnswersOf"/>, with what is kept beside an entry: whether the message matches, so that it need not be
    /// looked at; null when that does not say.
    /// </summary>
    bool? MatchesAnswer(ReadOnlySpan<byte> answer) => null;
}
