using GrayMQ.Protocol.Messages;

namespace GrayMQ.Store.Timers;

/// <summary>What another broker, RocketMQ, has delivered from this store: such records are not pending, though nothing in the log says so.</summary>
public interface ITimerHistory
{
    /// <param name="message">A record of a topic that holds pending messages.</param>
    /// <param name="entry">What it would be.</param>
    bool IsDone(in StoredMessage message, in TimerEntry entry);
}
