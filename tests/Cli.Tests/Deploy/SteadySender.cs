using System.Collections.Concurrent;
using GrayMQ.Client.Errors;
using GrayMQ.Client.Producers;

namespace GrayMQ.Cli.Tests.Deploy;

/// <summary>Sends one message behind the other, without trying any of them again.</summary>
internal sealed class SteadySender : IAsyncDisposable
{
    private readonly Producer _producer;
    private readonly string _topic;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<string, int> _sent = new();
    private readonly Task _sending;
    private long _count;

    public SteadySender(string nameServers, string topic)
    {
        _topic = topic;
        _producer = new Producer(new ProducerOptions
        {
            NameServers = nameServers,
            Group = "steady",
            Retries = 0,
            SendTimeout = TimeSpan.FromSeconds(60),
            RouteRefreshInterval = TimeSpan.FromMilliseconds(200),
        });
        _sending = Task.Run(SendAsync);
    }

    /// <summary>Sends that failed.</summary>
    public ConcurrentQueue<string> Failures { get; } = new();

    public long Count => Interlocked.Read(ref _count);

    /// <summary>Waits until a broker has taken another message.</summary>
    public async Task UntilTakenByAsync(string broker)
    {
        int before = _sent.GetValueOrDefault(broker);
        using var deadline = new CancellationTokenSource(Support.TestCommand.Timeout);
        while (_sent.GetValueOrDefault(broker) == before)
        {
            Assert.False(_sending.IsCompleted, "it has ended");
            await Task.Delay(TimeSpan.FromMilliseconds(10), deadline.Token);
        }
    }

    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _sending;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await _producer.DisposeAsync();
        _stop.Dispose();
    }

    private async Task SendAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                SendResult sent = await _producer.SendAsync(new Message(_topic, BitConverter.GetBytes(Count)), CancellationToken.None);
                _sent.AddOrUpdate(sent.Queue.BrokerName, 1, static (_, count) => count + 1);
                Interlocked.Increment(ref _count);
            }
            catch (Exception e) when (e is GrayMQException or IOException or TimeoutException)
            {
                Failures.Enqueue(e.ToString());
            }
        }
    }
}
