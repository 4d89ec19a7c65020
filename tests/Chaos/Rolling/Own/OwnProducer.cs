using System.Diagnostics;
using System.Text;
using GrayMQ.Client.Errors;
using GrayMQ.Client.Producers;

namespace GrayMQ.Chaos.Rolling.Own;

/// <summary>Sends by this project's client, without trying again.</summary>
internal sealed class OwnProducer(LoadSettings settings, string id, SendRecord record) : RunningLoad
{
    private readonly Producer _producer = new(new ProducerOptions
    {
        NameServers = settings.NameServerList,
        Group = "rolling-own-producer",
        RouteRefreshInterval = settings.RoutePoll,
        SendTimeout = settings.SendTimeout,
        Retries = 0,
    });

    protected override ValueTask CloseAsync() => _producer.DisposeAsync();

    protected override async Task RunAsync(CancellationToken stop)
    {
        for (int number = 0; !stop.IsCancellationRequested; number++)
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
