using System.Text;
using System.Text.Json.Nodes;
using GrayMQ.Cli.Tests.Support;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;
using GrayMQ.Remoting.Clients;
using GrayMQ.Remoting.Dispatch;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Cli.Tests.Tools;

public sealed class TransactionCommandTests(StandaloneServer server) : IClassFixture<StandaloneServer>
{
    [Fact]
    public async Task List_PendingTransactions_ShowsThoseThatAreMeant()
    {
        await using var client = new RemotingClient(
            RemotingClientOptions.Default, new RequestTable(), TimeProvider.System, NullLoggerFactory.Instance);
        await BeginAsync(client, "Orders", "billing", "tx-1");
        await BeginAsync(client, "Payments", "shop", "tx-2");

        JsonNode all = await ListAsync();
        JsonNode ofTopic = await ListAsync("--topic", "Orders");
        JsonNode ofGroup = await ListAsync("--group", "shop");
        JsonNode first = await ListAsync("--max", "1");

        Assert.Equal(2, (int)all["total"]!);
        Assert.Equal(["tx-1", "tx-2"], IdsOf(all));
        Assert.Equal(["tx-1"], IdsOf(ofTopic));
        Assert.Equal(["tx-2"], IdsOf(ofGroup));
        Assert.Equal(["tx-1"], IdsOf(first));
        JsonNode shown = ofTopic["transactions"]![0]!;
        Assert.Equal(("Orders", "billing", "k", 0), ((string)shown["topic"]!, (string)shown["producerGroup"]!, (string)shown["keys"]!, (int)shown["checks"]!));

        CommandResult table = (await server.RunAsync("transaction", "list", "--topic", "Payments")).ShouldSucceed();
        Assert.Contains("tx-2", table.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("tx-1", table.Output, StringComparison.Ordinal);
        (await server.RunAsync("transaction", "list", "--topic", "Nothing")).ShouldSucceed();
    }

    private static IEnumerable<string> IdsOf(JsonNode listing) =>
        listing["transactions"]!.AsArray().Select(transaction => (string)transaction!["transactionId"]!);

    private async Task<JsonNode> ListAsync(params string[] options) =>
        (await server.RunAsync(["transaction", "list", "--json", .. options])).ShouldSucceed().Json;

    private async Task BeginAsync(RemotingClient client, string topic, string group, string id)
    {
        RemotingCommand reply = await client.InvokeAsync(
            server.Broker,
            RequestCode.SendMessageV2,
            new SendMessageHeader
            {
                ProducerGroup = Encoding.UTF8.GetBytes(group),
                Topic = Encoding.UTF8.GetBytes(topic),
                DefaultTopic = "TBW102"u8.ToArray(),
                DefaultTopicQueueNums = 2,
                SysFlag = MessageSysFlag.TransactionPrepared,
                BornTimestampMs = 1,
                Properties = MessagePropertiesCodec.ToBytes(
                [
                    new(MessageProperty.TransactionPrepared, "true"),
                    new(MessageProperty.ProducerGroup, group),
                    new(MessageProperty.UniqueKey, id),
                    new(MessageProperty.Keys, "k"),
                ]),
            },
            "hello"u8.ToArray(),
            TimeSpan.FromSeconds(60));
        Assert.Equal(ResponseCode.Success, reply.ResponseCode);
    }
}
