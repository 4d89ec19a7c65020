using System.Text;
using GrayMQ.Broker.Groups;
using GrayMQ.Broker.Offsets;
using GrayMQ.Broker.Retries;
using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Messages;
using GrayMQ.Protocol.Names;
using GrayMQ.Store;
using GrayMQ.Store.Appending;
using GrayMQ.Store.Pops;
using GrayMQ.Store.Reading;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Popping;

/// <summary>
/// Gives messages back whose time is up, batch by batch: to the retry topic of their topic, one attempt further, or to the group's dead
/// letters. For one thread at a time.
/// </summary>
internal sealed class OverdueMessages(
    PopOptions options,
    MessageStore messages,
    FailedMessages failed,
    TopicTable topics,
    SubscriptionGroupTable groups,
    ConsumerOffsetTable offsets,
    ILogger<OverdueMessages> logger) : IDisposable
{
    // What could not be given back, because the disk is full or a file cannot be read, is tried again: after a second, then after
    // twice as long each time.
    private const long FirstRetryMs = 1000;
    private const long MaxRetryMs = 60_000;
    private const int MaxDoublings = 6;

    private readonly MessageSlices _slices = new();

    /// <summary>Up to where in the log copies stand that were appended since this was set.</summary>
    public long EndOffset { get; set; }

    /// <summary>
    /// Gives back what can be given back of a batch that <see cref="PopRevivals.TryBegin"/> took. Throws nothing: what goes wrong with
    /// one message must hold up no other.
    /// </summary>
    public PopRevival GiveBack(PopCheckPoint checkPoint, long now)
    {
        PopQueue popped = checkPoint.Queue;
        uint done = 0;
        for (int i = 0; i < checkPoint.Count; i++)
        {
            if (!checkPoint.IsUnacked(i))
            {
                continue;
            }

            long offset = checkPoint.OffsetAt(i);
            try
            {
                if (popped.IsDropped
                    || groups.FindExisting(popped.Group) is not { } group
                    || topics.Find(popped.Topic) is not { } topic
                    || !TryRead(popped, offset, out StoredMessage message))
                {
                    // Nobody can get it any more.
                    Log.PoppedMessageGone(logger, popped.Group, popped.Topic, popped.QueueId, offset);
                    done |= 1u << i;
                    continue;
                }

                if (!checkPoint.IsPutOff && DelayMs(group, message.ReconsumeTimes) is > 0 and long delay)
                {
                    // The batch waits as its first message has to.
                    return new PopRevival(checkPoint, done, now + delay, PutOff: true, Failures: 0);
                }

                string origin = OriginOf(popped);
                AppendResult result = failed.Revive(
                    in message, group, topic, origin, checkPoint.Id.PopTimeMs, options.RetryTopicSecondForm);
                if (!result.IsOk)
                {
                    Log.NotRevived(logger, popped.Group, popped.Topic, popped.QueueId, offset, result.Status);
                    if (result.Status is AppendStatus.PropertiesSizeExceeded or AppendStatus.MessageIllegal)
                    {
                        // Refused for its own sake: it holds up no other.
                        continue;
                    }

                    break;
                }

                done |= 1u << i;
                EndOffset = Math.Max(EndOffset, result.EndOffset);
                BeginRetryTopic(popped, topic, origin);
            }
            catch (Exception e)
            {
                Log.PoppedMessageNotGivenBack(logger, e, popped.Group, popped.Topic, popped.QueueId, offset);
            }
            finally
            {
                _slices.Clear();
            }
        }

        int failures = checkPoint.Failures + 1;
        long wait = Math.Min(MaxRetryMs, FirstRetryMs << Math.Min(failures - 1, MaxDoublings));
        return new PopRevival(checkPoint, done, now + wait, checkPoint.IsPutOff, failures);
    }

    public void Dispose() => _slices.Dispose();

    // A group that has no retry policy of its own gets its messages as soon as their time is up.
    private static long DelayMs(SubscriptionGroupConfig group, int reconsumeTimes)
    {
        if (group.GroupRetryPolicy is not { } policy)
        {
            return 0;
        }

        bool isOwn = policy.Type == GroupRetryPolicyType.Exponential
            ? policy.ExponentialRetryPolicy is not null
            : policy.CustomizedRetryPolicy is not null;
        return isOwn ? (long)policy.NextDelay(reconsumeTimes).TotalMilliseconds : 0;
    }

    private bool TryRead(PopQueue popped, long offset, out StoredMessage message)
    {
        message = default;
        return messages.FindQueue(popped.Topic, popped.QueueId) is { } queue
            && messages.Read(queue, offset, 1, int.MaxValue, null, _slices) == ReadStatus.Found
            && _slices.QueueOffsetOf(0) == offset
            && StoredMessage.TryRead(_slices[0], out message, out _);
    }

    // The group stands at the beginning of its retry topic, and is seen to, before it has popped from it.
    private void BeginRetryTopic(PopQueue popped, Topic topic, string origin)
    {
        if (topic.IsRetry)
        {
            return;
        }

        string retry = TopicNames.PopRetryOf(origin, popped.Group, options.RetryTopicSecondForm);
        if (topics.Find(retry) is not null && offsets.Find(popped.Group, retry, 0) == ConsumerOffsetTable.None)
        {
            // A pop may have come first, which has the last word.
            offsets.CommitFrom(Encoding.UTF8.GetBytes(popped.Group), Encoding.UTF8.GetBytes(retry), 0, ConsumerOffsetTable.None, 0);
        }
    }

    // The topic that a message of a pop's retry topic was sent to.
    private static string OriginOf(PopQueue popped)
    {
        string prefix = TopicNames.RetryOf(popped.Group);
        return popped.Topic.StartsWith(prefix, StringComparison.Ordinal)
            && popped.Topic.Length > prefix.Length + 1
            && popped.Topic[prefix.Length] is '_' or '+'
                ? popped.Topic[(prefix.Length + 1)..]
                : popped.Topic;
    }
}
