using System.Diagnostics;
using System.Text;
using GrayMQ.Client.Errors;
using GrayMQ.Client.Producers;
using GrayMQ.Client.Producers.Transactions;

namespace GrayMQ.Chaos.Rolling.Own;

/// <summary>Sends in transactions by this project's client, without trying again: committed, rolled back, or left to the broker's question.</summary>
internal sealed class OwnTransactions : RunningLoad
{
    private readonly LoadSettings _settings;
    private readonly string _id;
    private readonly SendRecord _record;
    private readonly TransactionalProducer _producer;

    public OwnTransactions(LoadSettings settings, string id, SendRecord record)
    {
        _settings = settings;
        _id = id;
        _record = record;
        _producer = new TransactionalProducer(
            new ProducerOptions
            {
                NameServers = settings.NameServerList,
                Group = "rolling-own-transactions",
                RouteRefreshInterval = settings.RoutePoll,
                SendTimeout = settings.SendTimeout,
                Retries = 0,
            },
            (message, _) => ValueTask.FromResult(
                record.IsRolledBack(Encoding.UTF8.GetString(message.Body.Span)) ? TransactionOutcome.Rollback : TransactionOutcome.Commit));
    }

    protected override ValueTask CloseAsync() => _producer.DisposeAsync();

    protected override async Task RunAsync(CancellationToken stop)
    {
        for (int number = 0; !stop.IsCancellationRequested; number++)
        {
            await SendAsync($"{_id}-{number}", number);
            await Task.Delay(_settings.Pause, CancellationToken.None);
        }
    }

    private async Task SendAsync(string body, int number)
    {
        long begun = Stopwatch.GetTimestamp();
        TransactionOutcome outcome = (number % 4) switch
        {
            2 => TransactionOutcome.Rollback,
            3 => TransactionOutcome.Unknown,
            _ => TransactionOutcome.Commit,
        };
        try
        {
            await _producer.SendAsync(
                new Message(_record.Topic, Encoding.UTF8.GetBytes(body)),
                (_, _) =>
                {
                    if (outcome == TransactionOutcome.Rollback)
                    {
                        _record.RollBack(body, begun);
                    }

                    return ValueTask.FromResult(outcome);
                },
                CancellationToken.None);
            if (outcome != TransactionOutcome.Rollback)
            {
                _record.Acknowledge(body, begun);
            }
        }
        catch (Exception e) when (e is GrayMQException or IOException or TimeoutException)
        {
            _record.Fail(_id, e.Message, begun);
        }
    }
}
