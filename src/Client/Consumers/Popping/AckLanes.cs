using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Client.Consumers.Popping;

/// <summary>
/// Acknowledgements on their way, broker by broker: while one request is under way, what comes is gathered for the next, so that batches
/// grow with the load and nothing waits without it.
/// </summary>
internal sealed class AckLanes(PopCaller caller, ILogger logger)
{
    private const int MaxBatch = 256;

    private readonly ConcurrentDictionary<string, Lane> _lanes = new(StringComparer.Ordinal);

    /// <summary>Completes when the broker has taken the acknowledgement; fails with what <see cref="PopCaller.AckAsync"/> throws.</summary>
    public Task AckAsync(ReceiptHandle handle)
    {
        Lane lane = _lanes.GetOrAdd(handle.BrokerName, static _ => new Lane());
        var waiting = new Waiting(handle, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        lock (lane)
        {
            lane.Waiting.Enqueue(waiting);
            if (!lane.IsRunning)
            {
                lane.IsRunning = true;
                lane.Running = Task.Run(() => RunAsync(lane));
            }
        }

        return waiting.Done.Task;
    }

    /// <summary>Acknowledges without telling anybody how it went but the log: where it fails the message comes again.</summary>
    public void AckQuietly(ReceiptHandle handle) => _ = AckQuietlyAsync(handle);

    /// <inheritdoc cref="AckQuietly"/>
    public async Task AckQuietlyAsync(ReceiptHandle handle)
    {
        try
        {
            await AckAsync(handle).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            Log.AckFailed(logger, handle.QueueOffset, handle.Topic, handle.QueueId, handle.BrokerName, e.Message);
        }
    }

    /// <summary>Completes when nothing waits any more.</summary>
    public Task DrainAsync() => Task.WhenAll(_lanes.Values.Select(lane =>
    {
        lock (lane)
        {
            return lane.Running;
        }
    }));

    private async Task RunAsync(Lane lane)
    {
        var batch = new List<Waiting>();
        while (true)
        {
            lock (lane)
            {
                batch.Clear();
                while (batch.Count < MaxBatch && lane.Waiting.TryDequeue(out Waiting waiting))
                {
                    batch.Add(waiting);
                }

                if (batch.Count == 0)
                {
                    lane.IsRunning = false;
                    return;
                }
            }

            try
            {
                IReadOnlyList<(ReceiptHandle Handle, Exception Error)> failures = await caller
                    .AckAllAsync([.. batch.Select(waiting => waiting.Handle)], CancellationToken.None)
                    .ConfigureAwait(false);
                foreach ((ReceiptHandle handle, Exception error) in failures)
                {
                    batch.FindAll(waiting => ReferenceEquals(waiting.Handle, handle)).ForEach(waiting => waiting.Done.TrySetException(error));
                }

                batch.ForEach(waiting => waiting.Done.TrySetResult());
            }
            catch (Exception e)
            {
                batch.ForEach(waiting => waiting.Done.TrySetException(e));
            }
        }
    }

    private readonly record struct Waiting(ReceiptHandle Handle, TaskCompletionSource Done);

    private sealed class Lane
    {
        public Queue<Waiting> Waiting { get; } = new();

        public bool IsRunning { get; set; }

        public Task Running { get; set; } = Task.CompletedTask;
    }
}
