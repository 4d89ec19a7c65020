using GrayMQ.Protocol.Messages;
using GrayMQ.Store.Dispatching;
using GrayMQ.Store.Timers;

namespace GrayMQ.Broker.Delays;

/// <summary>In the queues of the schedule topic, a message's tags code is when it is due (RocketMQ: CommitLog.checkMessageAndReturnSize).</summary>
internal sealed class ScheduleTagsCodes(DueRule rule) : ITagsCodeRule
{
    public long TagsCodeOf(in StoredMessage message, long tagsCode) =>
        DueRule.IsSchedule(message.Topic) && rule.TryRead(message, out TimerEntry entry) ? entry.DueMs : tagsCode;
}
