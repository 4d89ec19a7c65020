using GrayMQ.Protocol.Messages;

namespace GrayMQ.Store.Reading;

/// <summary>Chooses messages for a consumer; asked for every entry that a read passes.</summary>
public interface IMessageFilter
{
    /// <summary>A first answer from the consume-queue entry alone; true if the message has to be looked at.</summary>
    bool MatchesEntry(long tagsCode);

    /// <summary>Asked only if <see cref="NeedsMessage"/>, after <see cref="MatchesEntry"/> has said yes.</summary>
    bool MatchesMessage(in StoredMessage message);

    bool NeedsMessage { get; }
}
