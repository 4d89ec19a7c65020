// A worker that sends an order every second and handles what it receives, until it is stopped with Ctrl+C.
// Start a server first (./run.sh), then:
//
//     dotnet run --project samples/HostedConsumer [-- --GrayMQ:NameServers=ADDRESSES]
using HostedConsumer;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

HostApplicationBuilder builder = Host.CreateApplicationBuilder(args);
string nameServers = builder.Configuration.GetValue("GrayMQ:NameServers", "127.0.0.1:9876");

builder.Services.AddGrayMQProducer(options => options.NameServers = nameServers);
builder.Services.AddGrayMQConsumer<OrderHandler>(options =>
{
    options.NameServers = nameServers;
    options.Group = "order-service";
    options.Subscriptions["orders"] = "created";
});
builder.Services.AddHostedService<OrderSource>();

await builder.Build().RunAsync();
