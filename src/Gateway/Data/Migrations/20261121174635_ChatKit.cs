using System;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

#nullable disable

namespace Gateway.Data.Migrations
{
    /// <inheritdoc />
    public partial class ChatKit : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "chatkit_attachments",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<string>(type: "text", nullable: false),
                    bot_id = table.Column<string>(type: "text", nullable: false),
                    user_id = table.Column<string>(type: "text", nullable: false),
                    thread_id = table.Column<string>(type: "text", nullable: true),
                    mime_type = table.Column<string>(type: "text", nullable: false),
                    size = table.Column<long>(type: "bigint", nullable: false),
                    is_uploaded = table.Column<bool>(type: "boolean", nullable: false),
                    created_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    document = table.Column<string>(type: "json", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_chatkit_attachments", x => new { x.workspace_id, x.id });
                    table.ForeignKey(
                        name: "FK_chatkit_attachments_workspaces_workspace_id",
                        column: x => x.workspace_id,
                        principalTable: "workspaces",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "chatkit_sessions",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<string>(type: "text", nullable: false),
                    secret_hash = table.Column<byte[]>(type: "bytea", nullable: false),
                    key_id = table.Column<Guid>(type: "uuid", nullable: false),
                    bot_id = table.Column<string>(type: "text", nullable: false),
                    user_id = table.Column<string>(type: "text", nullable: false),
                    options = table.Column<string>(type: "json", nullable: false),
                    requests_per_minute = table.Column<int>(type: "integer", nullable: false),
                    counted_minute = table.Column<DateTime>(type: "timestamp with time zone", nullable: true),
                    requests = table.Column<int>(type: "integer", nullable: false),
                    files = table.Column<int>(type: "integer", nullable: false),
                    created_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    expires_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    cancelled_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_chatkit_sessions", x => new { x.workspace_id, x.id });
                    table.ForeignKey(
                        name: "FK_chatkit_sessions_workspaces_workspace_id",
                        column: x => x.workspace_id,
                        principalTable: "workspaces",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "chatkit_threads",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<string>(type: "text", nullable: false),
                    bot_id = table.Column<string>(type: "text", nullable: false),
                    user_id = table.Column<string>(type: "text", nullable: false),
                    created_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    sequence = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityAlwaysColumn),
                    document = table.Column<string>(type: "json", nullable: false),
                    feedback = table.Column<string>(type: "jsonb", nullable: false, defaultValueSql: "'[]'"),
                    lease_id = table.Column<Guid>(type: "uuid", nullable: true),
                    lease_until = table.Column<DateTime>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_chatkit_threads", x => new { x.workspace_id, x.id });
                    table.ForeignKey(
                        name: "FK_chatkit_threads_workspaces_workspace_id",
                        column: x => x.workspace_id,
                        principalTable: "workspaces",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "chatkit_contents",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    attachment_id = table.Column<string>(type: "text", nullable: false),
                    content = table.Column<byte[]>(type: "bytea", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_chatkit_contents", x => new { x.workspace_id, x.attachment_id });
                    table.ForeignKey(
                        name: "FK_chatkit_contents_chatkit_attachments_workspace_id_attachmen~",
                        columns: x => new { x.workspace_id, x.attachment_id },
                        principalTable: "chatkit_attachments",
                        principalColumns: new[] { "workspace_id", "id" },
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "chatkit_items",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    thread_id = table.Column<string>(type: "text", nullable: false),
                    id = table.Column<string>(type: "text", nullable: false),
                    created_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    sequence = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityAlwaysColumn),
                    document = table.Column<string>(type: "json", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_chatkit_items", x => new { x.workspace_id, x.thread_id, x.id });
                    table.ForeignKey(
                        name: "FK_chatkit_items_chatkit_threads_workspace_id_thread_id",
                        columns: x => new { x.workspace_id, x.thread_id },
                        principalTable: "chatkit_threads",
                        principalColumns: new[] { "workspace_id", "id" },
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "IX_chatkit_attachments_created_at",
                table: "chatkit_attachments",
                column: "created_at",
                filter: "thread_id IS NULL");

            migrationBuilder.CreateIndex(
                name: "IX_chatkit_attachments_workspace_id_thread_id",
                table: "chatkit_attachments",
                columns: new[] { "workspace_id", "thread_id" });

            migrationBuilder.CreateIndex(
                name: "IX_chatkit_items_workspace_id_thread_id_created_at_sequence",
                table: "chatkit_items",
                columns: new[] { "workspace_id", "thread_id", "created_at", "sequence" });

            migrationBuilder.CreateIndex(
                name: "IX_chatkit_sessions_expires_at",
                table: "chatkit_sessions",
                column: "expires_at");

            migrationBuilder.CreateIndex(
                name: "IX_chatkit_sessions_workspace_id_secret_hash",
                table: "chatkit_sessions",
                columns: new[] { "workspace_id", "secret_hash" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_chatkit_threads_workspace_id_bot_id_user_id_created_at_sequ~",
                table: "chatkit_threads",
                columns: new[] { "workspace_id", "bot_id", "user_id", "created_at", "sequence" });

            migrationBuilder.CreateIndex(
                name: "IX_chatkit_threads_workspace_id_created_at_sequence",
                table: "chatkit_threads",
                columns: new[] { "workspace_id", "created_at", "sequence" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "chatkit_contents");

            migrationBuilder.DropTable(
                name: "chatkit_items");

            migrationBuilder.DropTable(
                name: "chatkit_sessions");

            migrationBuilder.DropTable(
                name: "chatkit_attachments");

            migrationBuilder.DropTable(
                name: "chatkit_threads");
        }
    }
}
