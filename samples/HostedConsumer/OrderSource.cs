using System.Text;
using GrayMQ.Client.Producers;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HostedConsumer;

/// <summary>Sends an order every second; the orders of one customer stay in order.</summary>
internal sealed class OrderSource(IProducer producer, ILogger<OrderSource> logger) : BackgroundService
{
    private const int Customers = 3;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1));
        for (int number = 1; await timer.WaitForNextTickAsync(stoppingToken); number++)
        {
            string customer = $"customer-{number % Customers}";
            var message = new Message("orders", Encoding.UTF8.GetBytes($"order {number} of {customer}"))
            {
                Tag = "created",
                Keys = [$"order-{number}"],
                Properties = { ["customer"] = customer },
            };
            try
            {
                SendResult sent = await producer.SendAsync(message, QueueSelectors.ByHash(customer), stoppingToken);
                logger.LogInformation("Sent order {Number} to queue {Queue}", number, sent.Queue.QueueId);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                logger.LogWarning("Order {Number} could not be sent: {Reason}", number, e.Message);
            }
        }
    }
}
