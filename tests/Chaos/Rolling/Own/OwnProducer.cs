using System.Diagnostics;
using System.Text;
using GrayMQ.Client.Errors;
using GrayMQ.Client.Producers;

namespace GrayMQ.Chaos.Rolling.Own;

/// <summary>Sends by this project's client, without trying again.</summary>
internal sealed class OwnProducer(LoadSettings settings, string id, SendRecord record) : ILoad
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Producer _producer = new(new ProducerOptions
    {
        NameServers = settings.NameServerList,
        Group = "rolling-own-producer",
        RouteRefreshInterval = settings.RoutePoll,
        SendTimeout = settings.SendTimeout,
        Retries = 0,
    });

    private Task _running = Task.CompletedTask;

    public Task StartAsync()
    {
        _running = Task.Run(RunAsync);
        return Task.CompletedTask;
    }

    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _running;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await _producer.DisposeAsync();
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        for (int number = 0; !_stop.IsCancellationRequested; number++)
        {
            string body = $"{id}-{number}";
            long begun = Stopwatch.GetTimestamp();
            try
            {
                await _producer.SendAsync(new Message(record.Topic, Encoding.UTF8.GetBytes(body)), CancellationToken.None);
                record.Acknowledge(body, begun);
            }
            catch (Exception e) when (e is GrayMQException or IOException or TimeoutException)
            {
                record.Fail(id, e.Message, begun);
            }

            await Task.Delay(settings.Pause, CancellationToken.None);
        }
    }
}
