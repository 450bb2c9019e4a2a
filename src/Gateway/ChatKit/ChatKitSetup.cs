using Gateway.ChatKit.Attachments;
using Gateway.ChatKit.Sessions;
using Gateway.ChatKit.Threads;
using Gateway.ChatKit.Turns;
using Gateway.Http;

namespace Gateway.ChatKit;

internal static class ChatKitSetup
{
    public static IServiceCollection AddChatKit(this IServiceCollection services)
    {
        services.AddSingleton<SessionStore>();
        services.AddSingleton<SessionEndpoints>();
        services.AddSingleton<SessionGate>();
        services.AddHostedService<ChatKitCleanup>();
        services.AddSingleton<AttachmentBytes>();
        services.AddSingleton<AttachmentLinks>();
        services.AddSingleton<AttachmentTable>();
        services.AddSingleton<AttachmentKeeper>();
        services.AddSingleton<AttachmentEndpoints>();
        services.AddSingleton<ThreadLeases>();
        services.AddSingleton<ThreadStore>();
        services.AddSingleton<ThreadTable>();
        services.AddSingleton<ThreadEndpoints>();
        services.AddSingleton<ThreadTitles>();
        services.AddSingleton<ThreadHistory>();
        services.AddSingleton<BotServer>();
        services.AddSingleton<ChatKitAuthentication>();
        services.AddSingleton<ChatKitDoor>();
        return services;
    }

    public static IEndpointRouteBuilder MapChatKit(this IEndpointRouteBuilder routes)
    {
        var services = routes.ServiceProvider;
        var door = services.GetRequiredService<ChatKitDoor>();
        routes.MapPost("/chatkit", door.OfSessionAsync).WithMetadata(new RouteDoc("Answers a chat page, by its session's client secret."));
        routes.MapPost("/chatkit/{bot}", door.OfKeyAsync)
            .WithMetadata(new NeedsScope(Scopes.Chat), new RouteDoc("Answers a server that speaks for the user in X-Gateway-User."));

        var v1 = routes.MapGroup("/v1/chatkit");
        var keys = v1.MapGroup("").WithMetadata(new NeedsScope(Scopes.Chat));
        var sessions = services.GetRequiredService<SessionEndpoints>();
        keys.MapPost("/sessions", sessions.CreateAsync).WithMetadata(new RouteDoc("Opens a bot to one user's browser for a while."));
        keys.MapPost("/sessions/{id}/cancel", sessions.CancelAsync).WithMetadata(new RouteDoc("Ends such a session."));

        var threads = services.GetRequiredService<ThreadEndpoints>();
        keys.MapGet("/threads", threads.ListAsync)
            .WithMetadata(new RouteDoc("Lists the users' threads, newest first.") { Query = ["limit", "after", "before", "order", "user"] });
        keys.MapGet("/threads/{id}", threads.GetAsync).WithMetadata(new RouteDoc("Shows a thread."));
        keys.MapGet("/threads/{id}/items", threads.ListItemsAsync)
            .WithMetadata(new RouteDoc("Lists a thread's items, newest first.") { Query = ["limit", "after", "before", "order"] });
        keys.MapDelete("/threads/{id}", threads.DeleteAsync).WithMetadata(new RouteDoc("Deletes a thread with its items and files."));

        var attachments = services.GetRequiredService<AttachmentEndpoints>();
        v1.MapPost("/attachments", attachments.UploadAsync)
            .WithMetadata(new RouteDoc("Takes a user's file, by the session's client secret.") { Takes = "multipart/form-data" });
        v1.MapMethods("/attachments/{id}/content", ["PUT", "POST"], attachments.PutContentAsync)
            .WithMetadata(new RouteDoc("Takes an announced file's bytes, by a signed link.") { Takes = "application/octet-stream" });
        v1.MapGet("/attachments/{id}/content", attachments.GetContentAsync)
            .WithMetadata(new RouteDoc("Shows a picture, by a signed link.") { Gives = "image/*" });
        return routes;
    }
}
