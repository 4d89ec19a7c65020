using System.Net;
using System.Net.Sockets;
using GrayMQ.Compatibility.Tests.Wire;

namespace GrayMQ.Compatibility.Tests.Servers;

/// <summary>Listens in a name server's place, keeps the first registration, and answers every request with success.</summary>
internal sealed class CapturingNameServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskCompletionSource<WireFrame> _registration = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _serving;

    public CapturingNameServer()
    {
        _listener.Start();
        _serving = ServeAsync();
    }

    public IPEndPoint EndPoint => (IPEndPoint)_listener.LocalEndpoint;

    /// <summary>The first registration. A broker asks about topics that others have before it registers.</summary>
    public Task<WireFrame> RegistrationAsync() => _registration.Task.WaitAsync(WireConnection.Deadline);

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                using Socket socket = await _listener.AcceptSocketAsync(_stopping.Token);
                await AnswerAsync(new WireConnection(socket));
            }
        }
        catch (OperationCanceledException)
        {
            // The test is over.
        }
    }

    private async Task AnswerAsync(WireConnection connection)
    {
        while (await connection.TryReadAsync(_stopping.Token) is { } request)
        {
            await connection.SendAsync(WireFrames.Success(request.Opaque));
            if (request.IsRegistration)
            {
                _registration.TrySetResult(request);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _serving;
        _listener.Dispose();
        _stopping.Dispose();
    }
}
