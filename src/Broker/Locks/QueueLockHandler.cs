using GrayMQ.Broker.Clients;
using GrayMQ.Broker.Gray;
using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Dispatch;

namespace GrayMQ.Broker.Locks;

/// <summary>
/// Orderly consumers take and give back the sole right to a queue: LOCK_BATCH_MQ (41), UNLOCK_BATCH_MQ (42). There are no
/// replicas that would have to agree.
/// </summary>
internal sealed class QueueLockHandler(QueueLockTable locks, TopicTable topics, GrayTable gray, ClientLimits limits)
{
    public ValueTask LockAsync(RemotingRequest request, NoHeader header)
    {
        var body = BodyCodec.Decode<LockBatchRequestBody>(request.Body);
        Check(body.ConsumerGroup, body.ClientId, body.MqSet);
        var reply = new LockBatchResponseBody { LockedQueues = locks.Lock(NameOf(body.ConsumerGroup, body.ClientId, request), body.MqSet, body.ClientId) };
        foreach (MessageQueue queue in reply.LockedQueues)
        {
            if (topics.Find(queue.Topic) is { IsUsedInOrder: false, IsRetry: false } topic)
            {
                topics.NoteOrder(topic);
            }
        }

        request.Reply(BodyCodec.Encode(reply));
        return ValueTask.CompletedTask;
    }

    public ValueTask UnlockAsync(RemotingRequest request, NoHeader header)
    {
        var body = BodyCodec.Decode<UnlockBatchRequestBody>(request.Body);
        Check(body.ConsumerGroup, body.ClientId, body.MqSet);
        locks.Unlock(NameOf(body.ConsumerGroup, body.ClientId, request), body.MqSet, body.ClientId);
        request.Reply(ResponseCode.Success);
        return ValueTask.CompletedTask;
    }

    // Both sides of a group with a release have each queue among their own, and a client that is refused a lock asks again and again:
    // each side has locks of its own, and who owns the queue decides who gets messages.
    private string NameOf(string group, string clientId, in RemotingRequest request) =>
        gray.FindGroup(group) is { } sides && sides.StandingOf(clientId, request.Connection) == Standing.Gray
            ? QueueLockTable.GraySideOf(group)
            : group;

    private void Check(string group, string clientId, List<MessageQueue> queues)
    {
        if (group.Length is 0 || group.Length > limits.MaxGroupLength)
        {
            throw Refused($"the group's name has {group.Length} characters: expected 1 to {limits.MaxGroupLength}");
        }

        if (clientId.Length is 0 || clientId.Length > limits.MaxClientIdLength)
        {
            throw Refused($"the client id has {clientId.Length} characters: expected 1 to {limits.MaxClientIdLength}");
        }

        if (queues.Count > limits.MaxQueuesPerLock)
        {
            throw Refused($"there are {queues.Count} queues: {limits.MaxQueuesPerLock} are the limit");
        }

        if (queues.Exists(queue => !IsName(queue.Topic) || !IsName(queue.BrokerName) || queue.QueueId < 0) || group.AsSpan().ContainsAny('\0', QueueLockTable.SideMark))
        {
            throw Refused($"a queue has no topic and broker of 1 to {limits.MaxTopicLength} characters, or no id");
        }
    }

    private bool IsName(string? name) =>
        name is { Length: > 0 } && name.Length <= limits.MaxTopicLength && !name.Contains('\0', StringComparison.Ordinal);

    private static RemotingException Refused(string reason) => new(ResponseCode.SystemError, reason);
}
