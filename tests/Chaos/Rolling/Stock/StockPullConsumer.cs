using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Chaos.Rolling.Stock;

/// <summary>
/// Pulls as a stock push consumer that is alone in its group: every queue of the route from where the group stands, long polls, offsets
/// committed every so often; a queue that leaves the route is let go of, and begun anew from the committed offset when it is back.
/// </summary>
internal sealed class StockPullConsumer(LoadSettings settings, GroupRecord group)
    : StockConsumer(settings, group, ConsumeFromWhere.FirstOffset)
{
    private static readonly TimeSpan PullTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan SuspendTime = TimeSpan.FromSeconds(15);


    private readonly ConcurrentDictionary<StockQueue, Position> _positions = new();

    protected override async Task RunAsync(CancellationToken stop)
    {
        long committed = Stopwatch.GetTimestamp();
        while (!stop.IsCancellationRequested)
        {
            await RefreshAsync();
            await AssignAsync();
            if (Stopwatch.GetElapsedTime(committed) > Settings.CommitInterval)
            {
                await CommitAsync();
                committed = Stopwatch.GetTimestamp();
            }

            await Task.Delay(LookInterval, CancellationToken.None);
        }

        foreach (Position position in _positions.Values)
        {
            await position.Stop.CancelAsync();
        }

        await Task.WhenAll(_positions.Values.Select(position => position.Pulling));
        await CommitAsync();
    }

    // A queue that is let go of is committed first (RocketMQ: removeUnnecessaryMessageQueue).
    private async Task AssignAsync()
    {
        foreach ((StockQueue queue, Position position) in _positions)
        {
            if (!Route.Readable.Contains(queue) && _positions.TryRemove(queue, out _))
            {
                await position.Stop.CancelAsync();
                await position.Pulling;
                await CommitAsync(queue, position);
            }
        }

        foreach (StockQueue queue in Route.Readable.Where(queue => !_positions.ContainsKey(queue)))
        {
            var position = new Position();
            _positions[queue] = position;
            position.Pulling = Task.Run(() => PullAsync(queue, position));
        }
    }

    private Task PullAsync(StockQueue queue, Position position)
    {
        long next = -1;
        return RepeatAsync(
            async () => next = next < 0 ? await FindOffsetAsync(queue) : await PullOnceAsync(queue, next, position), position.Stop.Token);
    }

    private async Task<long> FindOffsetAsync(StockQueue queue)
    {
        RemotingCommand answer = await Client.InvokeAsync(
            queue.Address,
            RequestCode.QueryConsumerOffset,
            new QueryConsumerOffsetHeader { ConsumerGroup = GroupUtf8, Topic = TopicUtf8, QueueId = queue.QueueId },
            default,
            CallTimeout);
        return answer.ResponseCode switch
        {
            ResponseCode.Success => answer.Fields.GetInt64("offset"u8),
            ResponseCode.QueryNotFound => 0,
            _ => throw new IOException($"{answer.ResponseCode} {answer.Remark}"),
        };
    }

    private async Task<long> PullOnceAsync(StockQueue queue, long offset, Position position)
    {
        RemotingCommand answer = await Client.InvokeAsync(
            queue.Address,
            RequestCode.PullMessage,
            new PullMessageHeader
            {
                ConsumerGroup = GroupUtf8,
                Topic = TopicUtf8,
                QueueId = queue.QueueId,
                QueueOffset = offset,
                MaxMessages = BatchSize,
                SysFlag = PullSysFlag.Suspend | PullSysFlag.Subscription,
                SuspendTimeoutMs = (long)SuspendTime.TotalMilliseconds,
                Subscription = "*"u8.ToArray(),
            },
            default,
            PullTimeout,
            position.Stop.Token);
        switch (answer.ResponseCode)
        {
            case ResponseCode.Success:
                foreach (ReceivedMessage message in MessageDecoder.DecodeAll(answer.Body.FirstSpan))
                {
                    string body = Encoding.UTF8.GetString(message.Body.Span);
                    Group.Receive(body);
                    position.Uncommitted.Enqueue((message.QueueOffset, body));
                }

                long next = PullMessageResponseHeader.Read(answer.Fields).NextBeginOffset;
                Volatile.Write(ref position.Handled, next);
                return next;
            case ResponseCode.PullNotFound or ResponseCode.PullRetryImmediately:
                return offset;
            case ResponseCode.PullOffsetMoved:
                return PullMessageResponseHeader.Read(answer.Fields).NextBeginOffset;
            default:
                throw new IOException($"{answer.ResponseCode} {answer.Remark}");
        }
    }

    private Task CommitAsync() => Task.WhenAll(_positions.Select(pair => CommitAsync(pair.Key, pair.Value)));

    private async Task CommitAsync(StockQueue queue, Position position)
    {
        long handled = Volatile.Read(ref position.Handled);
        if (handled <= position.Committed)
        {
            return;
        }

        try
        {
            RemotingCommand answer = await Client.InvokeAsync(
                queue.Address,
                RequestCode.UpdateConsumerOffset,
                new UpdateConsumerOffsetHeader
                {
                    ConsumerGroup = GroupUtf8,
                    Topic = TopicUtf8,
                    QueueId = queue.QueueId,
                    CommitOffset = handled,
                },
                default,
                CallTimeout);
            if (answer.ResponseCode != ResponseCode.Success)
            {
                return;
            }

            position.Committed = handled;
            while (position.Uncommitted.TryPeek(out (long Offset, string Body) first) && first.Offset < handled)
            {
                position.Uncommitted.TryDequeue(out _);
                Group.Confirm(first.Body);
            }
        }
        catch (Exception e) when (e is IOException or TimeoutException)
        {
            // With the next commit.
        }
    }

    /// <summary>How far a queue is consumed.</summary>
    private sealed class Position
    {
        /// <summary>The offset of the first message that was not handled.</summary>
        public long Handled = -1;

        public long Committed { get; set; } = -1;

        public ConcurrentQueue<(long Offset, string Body)> Uncommitted { get; } = new();

        public CancellationTokenSource Stop { get; } = new();

        public Task Pulling { get; set; } = Task.CompletedTask;
    }
}
