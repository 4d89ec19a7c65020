using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Remoting.Clients;
using GrayMQ.Remoting.Dispatch;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Load;

/// <summary>
/// Messages sent just now, for pulls and pops to read. Of older ones, beyond a share of the machine's memory, a broker hands out fewer at a time
/// (RocketMQ: accessMessageInMemoryMaxRatio, maxTransferCountOnMessageInDisk), so that a run over whatever earlier runs have left
/// measures now batches of 32 and now batches of 8.
/// </summary>
internal static class RecentMessages
{
    private static readonly TimeSpan SendingTime = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    /// <summary>Sends to all queues for a while.</summary>
    /// <returns>The same options, with <see cref="LoadOptions.Starts"/> where these messages begin.</returns>
    public static async Task<LoadOptions> SendAsync(LoadOptions options, CancellationToken cancel)
    {
        await using RemotingClient client = Connect();
        var starts = new long[options.Queues];
        for (int queueId = 0; queueId < starts.Length; queueId++)
        {
            RemotingCommand answer = await client.InvokeAsync(
                options.Broker.ToString(), RequestCode.GetMaxOffset, new QueueHeader(options.Topic, queueId), null, Timeout, cancel);
            starts[queueId] = OffsetResponseHeader.Read(answer.Fields).Offset;
        }

        LoadOptions sending = options with
        {
            WarmUp = TimeSpan.Zero,
            Duration = SendingTime,
            Connections = Math.Max(4, options.Queues),
            InFlight = 32,
        };
        LoadResult sent = await LoadRun.RunAsync("(recent messages)", sending, index => new SendConnection(sending, index), cancel);
        if (sent.Errors > 0 || sent.Messages == 0)
        {
            throw new InvalidOperationException(
                $"of the messages to be read the broker took {sent.Messages} and refused {sent.Errors}: is its disk full?");
        }

        return options with { Starts = starts };
    }

    /// <summary>Has the group that pops begin at <see cref="LoadOptions.Starts"/>.</summary>
    public static async Task BeginPopsAsync(LoadOptions options, CancellationToken cancel)
    {
        await using RemotingClient client = Connect();

        // The group comes to be by its first pop.
        await client.InvokeAsync(
            options.Broker.ToString(),
            RequestCode.PopMessage,
            RequestTemplate.PopHeader(options.Topic, maxMessages: 1, (long)options.Invisible.TotalMilliseconds, pollMs: 0),
            null,
            Timeout,
            cancel);
        for (int queueId = 0; queueId < options.Starts.Count; queueId++)
        {
            RemotingCommand answer = await client.InvokeAsync(
                options.Broker.ToString(),
                RequestCode.UpdateConsumerOffset,
                RequestTemplate.RewindHeader(options.Topic, queueId, options.Starts[queueId]),
                null,
                Timeout,
                cancel);
            if (answer.ResponseCode != ResponseCode.Success)
            {
                throw new InvalidOperationException($"the group that pops cannot begin: {answer.ResponseCode} {answer.Remark}");
            }
        }
    }

    private static RemotingClient Connect() =>
        new(RemotingClientOptions.Default, new RequestTable(), TimeProvider.System, NullLoggerFactory.Instance);
}
