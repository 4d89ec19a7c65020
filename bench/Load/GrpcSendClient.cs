using System.Diagnostics;
using System.Globalization;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using V2 = GrayMQ.Grpc.V2;

namespace GrayMQ.Load;

/// <summary>Sends messages by gRPC, over one connection with a fixed number of calls in flight.</summary>
internal sealed class GrpcSendClient(LoadOptions options, int index) : LoadClient
{
    private readonly GrpcChannel _channel = new(options, string.Create(CultureInfo.InvariantCulture, $"load-send-{index}"));
    private readonly ByteString _body = ByteString.CopyFrom(new byte[options.BodyBytes]);
    private readonly Lock _recording = new();
    private long _message;

    public override async Task RunAsync(CancellationToken cancel)
    {
        var publishing = new V2.Publishing { Topics = { new V2.Resource { Name = options.Topic } } };
        await _channel.TellAsync(new V2.Settings { ClientType = V2.ClientType.Producer, Publishing = publishing }, cancel);
        await Task.WhenAll(Enumerable.Range(0, options.InFlight).Select(_ => SendAsync(cancel)));
    }

    public override void Dispose() => _channel.Dispose();

    private async Task SendAsync(CancellationToken cancel)
    {
        while (!Ending)
        {
            var request = new V2.SendMessageRequest();
            request.Messages.Add(new V2.Message
            {
                Topic = new V2.Resource { Name = options.Topic },
                Body = _body,
                SystemProperties = new V2.SystemProperties
                {
                    MessageId = string.Create(CultureInfo.InvariantCulture, $"{index:X8}{Interlocked.Increment(ref _message):X16}"),
                    MessageType = V2.MessageType.Normal,
                    BornTimestamp = Timestamp.FromDateTimeOffset(DateTimeOffset.UtcNow),
                    BornHost = "load",
                },
            });
            long sentAt = Stopwatch.GetTimestamp();
            V2.SendMessageResponse response = await _channel.CallAsync("SendMessage", request, V2.SendMessageResponse.Parser, cancel);
            lock (_recording)
            {
                Record(sentAt, response.Status.Code == V2.Code.Ok ? 1 : -1);
            }
        }
    }
}
